import { encodeTime } from "ulid";
import { nearestTime } from "../domain/ledger/period.ts";
import type { LoggedVerdict } from "../domain/usage/report-rows.ts";

// The moderation log across tenants: verdicts that do not allow, newest first.

export interface LogQuery {
  /** The place at which the page before ended; null: from the newest. */
  readonly after: LogPlace | null;
  readonly tenant: string | null;
  readonly decision: LoggedVerdict["decision"] | null;
  readonly category: string | null;
  readonly userId: string | null;
  /** Included, in milliseconds. */
  readonly fromMs: number | null;
  /** Not included. */
  readonly toMs: number | null;
  readonly limit: number;
  readonly nowMs: number;
}

/** Generations of a tenant follow one another: rows by generation and id are in the order of time. */
export interface LogPlace {
  readonly generation: number;
  readonly verdictId: string;
}

export interface LogEntry extends Omit<LoggedVerdict, "sequence" | "removed" | "expiresAtMs"> {
  readonly tenant: string;
  readonly generation: number;
}

export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** Where the next page begins; null: there is none. */
  readonly next: LogPlace | null;
  /** Rows that the database read for it, as it bills them. */
  readonly rowsRead: number;
}

type LogRow = {
  tenant: string;
  life: number;
  verdict_id: string;
  revision: number;
  created_at_ms: number;
  decision: LoggedVerdict["decision"];
  approved: number;
  decided_by: LoggedVerdict["decidedBy"];
  categories: string;
  user_id: string | null;
  content_id: string | null;
  policy: string;
  policy_version: number;
  removed: number;
  expires_at_ms: number;
};

/**
 * Rows that one page looks at: a filter that matches little must not read thirty days of every
 * tenant. The page then holds fewer entries than it may, and says where to go on.
 */
const MOST_LOOKED_AT = 1000;

/** An id is drawn before its verdict is made, by another clock: the range is that much wider. */
const MARGIN_MS = 600_000;

const idAt = (ms: number): string => `vrd_${encodeTime(nearestTime(ms), 10)}`;

export async function readModerationLog(database: D1Database, query: LogQuery): Promise<LogPage> {
  const { results, meta } = await database
    .prepare(
      query.tenant === null
        ? `SELECT * FROM moderation_log WHERE verdict_id < ?1
            ORDER BY verdict_id DESC LIMIT ${MOST_LOOKED_AT + 1}`
        : `SELECT * FROM moderation_log WHERE tenant = ?3 AND (life, verdict_id) < (?2, ?1)
            ORDER BY life DESC, verdict_id DESC LIMIT ${MOST_LOOKED_AT + 1}`,
    )
    .bind(...startOf(query))
    .all<LogRow>();
  return { ...pageOf(results, query), rowsRead: meta.rows_read };
}

/** After every id and every generation. */
const NEWEST: LogPlace = { generation: Number.MAX_SAFE_INTEGER, verdictId: "~" };

function startOf({ after, toMs, tenant }: LogQuery): readonly (string | number)[] {
  const place = after ?? NEWEST;
  const latest = toMs === null ? "~" : idAt(toMs + MARGIN_MS);
  // A later generation of the tenant may lie between: its rows are read too.
  const verdictId = tenant === null && latest < place.verdictId ? latest : place.verdictId;
  return tenant === null ? [verdictId] : [verdictId, place.generation, tenant];
}

function pageOf(rows: readonly LogRow[], query: LogQuery): Omit<LogPage, "rowsRead"> {
  const oldest = query.fromMs === null ? "" : idAt(query.fromMs - MARGIN_MS);
  const entries: LogEntry[] = [];
  let last: LogRow | null = null;
  for (const row of rows.slice(0, MOST_LOOKED_AT)) {
    if (row.verdict_id < oldest) return { entries, next: null };
    if (matches(row, query)) {
      if (entries.length === query.limit) return { entries, next: placeOf(last) };
      entries.push(toEntry(row));
    }
    last = row;
  }
  return { entries, next: rows.length > MOST_LOOKED_AT ? placeOf(last) : null };
}

const placeOf = (row: LogRow | null): LogPlace | null =>
  row === null ? null : { generation: row.life, verdictId: row.verdict_id };

const matches = (row: LogRow, query: LogQuery): boolean =>
  row.removed === 0 &&
  row.expires_at_ms > query.nowMs &&
  row.created_at_ms >= (query.fromMs ?? 0) &&
  row.created_at_ms < (query.toMs ?? Number.POSITIVE_INFINITY) &&
  (query.decision === null || row.decision === query.decision) &&
  (query.userId === null || row.user_id === query.userId) &&
  (query.category === null || categoriesOf(row).includes(query.category));

const categoriesOf = (row: LogRow): readonly string[] => JSON.parse(row.categories) as string[];

const toEntry = (row: LogRow): LogEntry => ({
  tenant: row.tenant,
  generation: row.life,
  verdictId: row.verdict_id,
  revision: row.revision,
  createdAtMs: row.created_at_ms,
  decision: row.decision,
  approved: row.approved === 1,
  decidedBy: row.decided_by,
  categories: categoriesOf(row),
  userId: row.user_id,
  contentId: row.content_id,
  policy: row.policy,
  policyVersion: row.policy_version,
});
