import type { Category } from "../../../src/domain/moderation/category.ts";
import { isoTime } from "../../../src/domain/ledger/period.ts";
import { verdictAt } from "../../../src/domain/moderation/review.ts";
import type { Decision, Review, Verdict } from "../../../src/domain/moderation/verdict.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { AFTER_ALL_IDS, firstIdAfter, lastIdBefore } from "../../id-range.ts";
import { ARCHIVES } from "../ledger/archive-schema.ts";
import { LEDGER } from "../ledger/ledger-schema.ts";
import { REVISIONS } from "./people-schema.ts";
import { hasReason, matches, narrowest, same } from "./verdict-filter.ts";
import { toRow, toVerdict, type VerdictRow } from "./verdict-row.ts";
import { VERDICTS } from "./verdict-schema.ts";

export interface VerdictQuery {
  /** Verdicts before this id, newest first. */
  readonly before: string | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly userId: string | null;
  readonly contentId: string | null;
  readonly decision: Decision | null;
  /** Verdicts with a reason of this category. */
  readonly category: Category | null;
  readonly policy: string | null;
  readonly review: Review["state"] | null;
  readonly batchId: string | null;
  readonly limit: number;
}

export interface VerdictPage {
  readonly verdicts: readonly Verdict[];
  /** Where to go on; null: this was all. */
  readonly next: string | null;
}

const EVERY: VerdictQuery = {
  before: null,
  fromMs: null,
  toMs: null,
  userId: null,
  contentId: null,
  decision: null,
  category: null,
  policy: null,
  review: null,
  batchId: null,
  limit: 0,
};

/** Rows looked at for one page, so that a filter that matches little costs a bounded amount. */
const MAX_SCAN = 2000;

export class VerdictStore {
  readonly #db: FeatureDatabase;
  readonly #revisions: FeatureDatabase;
  readonly #ledger: FeatureDatabase;
  readonly #archives: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(VERDICTS);
    this.#revisions = db.of(REVISIONS);
    this.#ledger = db.of(LEDGER);
    this.#archives = db.of(ARCHIVES);
  }

  /** False: it was stored already, and stays as it is. */
  insert(verdict: Verdict, callId: string): boolean {
    const row = toRow(verdict, callId);
    const inserted = this.#db.run(
      `INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name,
        policy_version, user_id, content_id, batch_id, review_state, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
        RETURNING id`,
      row.id,
      row.call_id,
      row.created_at_ms,
      row.decision,
      row.approved,
      row.policy_name,
      row.policy_version,
      row.user_id,
      row.content_id,
      row.batch_id,
      row.review_state,
      row.body,
    );
    return inserted.length === 1;
  }

  /** What a review changes. */
  update(verdict: Verdict): void {
    const row = toRow(verdict, "");
    this.#db.run(
      "UPDATE verdicts SET decision = ?, approved = ?, review_state = ?, body = ? WHERE id = ?",
      row.decision,
      row.approved,
      row.review_state,
      row.body,
      row.id,
    );
  }

  /** Open for review: those that are urgent, then the others, the oldest first. */
  listOpen(limit: number): Verdict[] {
    const urgent = this.#db
      .run<VerdictRow>(
        `SELECT * FROM verdicts WHERE review_state = 'open'
          AND json_extract(body, '$.review.priority') = 'urgent' ORDER BY id LIMIT ?`,
        limit,
      )
      .map(toVerdict);
    if (urgent.length >= limit) return urgent;
    // As many more as could be urgent themselves, and so are there already.
    const oldest = this.#db
      .run<VerdictRow>(
        `SELECT * FROM verdicts WHERE review_state IN ('open', 'claimed') AND review_state = 'open'
          ORDER BY id LIMIT ?`,
        limit + urgent.length,
      )
      .map(toVerdict);
    const others = oldest.filter(({ review }) => review.priority !== "urgent");
    return [...urgent, ...others].slice(0, limit);
  }

  /** Claimed until that time at the latest, the earliest first: no other claim is read. */
  listClaimedUntil(untilMs: number, limit: number): Verdict[] {
    return this.#db
      .run<VerdictRow>(
        `SELECT * FROM verdicts WHERE review_state = 'claimed'
          AND json_extract(body, '$.review.claim_expires_at') <= ?
          ORDER BY json_extract(body, '$.review.claim_expires_at') LIMIT ?`,
        isoTime(untilMs),
        limit,
      )
      .map(toVerdict);
  }

  read(id: string): Verdict | null {
    const row = this.#db.run<VerdictRow>("SELECT * FROM verdicts WHERE id = ?", id)[0];
    return row === undefined ? null : toVerdict(row);
  }

  /**
   * Newest first. The scan is narrowed by the most selective index and bounded: a page may hold
   * fewer than `limit` and still name where to go on. A claim whose time has passed is open here, also
   * while its row does not say so yet.
   */
  list(query: VerdictQuery, nowMs: number): VerdictPage {
    const { review } = query;
    const stored = { ...query, review: review === "open" || review === "claimed" ? null : review };
    const scanned = this.#scanFor(query);
    const verdicts: Verdict[] = [];
    for (const row of scanned.slice(0, MAX_SCAN)) {
      if (!matches(row, stored)) continue;
      const verdict = verdictAt(toVerdict(row), nowMs);
      if (!same(review, verdict.review.state)) continue;
      if (query.category !== null && !hasReason(verdict, query.category)) continue;
      if (verdicts.length === query.limit) {
        return { verdicts, next: verdicts.at(-1)?.id ?? null };
      }
      verdicts.push(verdict);
    }
    const more = scanned.length > MAX_SCAN;
    return { verdicts, next: more ? (scanned[MAX_SCAN - 1]?.id ?? null) : null };
  }

  /** Whether the call that made a verdict has ended in a line of the journal, or of its archive. */
  hasLine(id: string): boolean {
    const [verdict] = this.#db.run<{ call_id: string; day: number }>(
      "SELECT call_id, created_at_ms / 86400000 AS day FROM verdicts WHERE id = ?",
      id,
    );
    if (verdict === undefined) return false;
    const inJournal = "SELECT 1 AS found FROM journal WHERE id = ? AND outcome <> 'pending'";
    if (this.#ledger.run(inJournal, verdict.call_id).length === 1) return true;
    const inArchive = `SELECT 1 AS found FROM archives WHERE state IN ('stored', 'done')
      AND day BETWEEN ? AND ? LIMIT 1`;
    return this.#archives.run(inArchive, verdict.day - 1, verdict.day).length === 1;
  }

  /** Those of some calls that do not allow, within a range of ids. */
  notAllowedOf(
    callIds: readonly string[],
    range: { readonly from: string; readonly before: string },
  ): Verdict[] {
    return this.#db
      .run<VerdictRow>(
        `SELECT * FROM verdicts WHERE id >= ? AND id < ? AND decision <> 'allow'
          AND call_id IN (SELECT value FROM json_each(?)) ORDER BY id`,
        range.from,
        range.before,
        JSON.stringify(callIds),
      )
      .map(toVerdict);
  }

  /** Newest first, of those that a policy judged; looks at no more than `scan` rows. */
  judgedBy(
    policy: string,
    within: Pick<VerdictQuery, "before" | "fromMs" | "toMs">,
    scan: number,
  ): VerdictPage {
    const query: VerdictQuery = { ...EVERY, ...within, policy };
    const rows = this.#scan(query, scan);
    return {
      verdicts: rows.filter((row) => matches(row, query)).map(toVerdict),
      next: rows.length < scan ? null : (rows.at(-1)?.id ?? null),
    };
  }

  /** How many of somebody's newest verdicts block that were made since then; test inputs are none. */
  countBlocks(userId: string, sinceMs: number): number {
    const row = this.#db.run<{ n: number }>(
      `SELECT COUNT(*) AS n FROM (SELECT decision, created_at_ms, body FROM verdicts
        WHERE user_id = ? AND id >= ? ORDER BY id DESC LIMIT ?)
        WHERE decision = 'block' AND created_at_ms >= ? AND json_extract(body, '$.test') IS NULL`,
      userId,
      lastIdBefore("vrd", sinceMs),
      MAX_SCAN,
      sinceMs,
    )[0];
    return row?.n ?? 0;
  }

  latest(limit: number): Verdict[] {
    return this.#db
      .run<VerdictRow>("SELECT * FROM verdicts ORDER BY id DESC LIMIT ?", limit)
      .map(toVerdict);
  }

  /** When the oldest was made; null: there is none. */
  oldestMs(): number | null {
    const oldest = "SELECT created_at_ms AS at FROM verdicts ORDER BY id LIMIT 1";
    return this.#db.run<{ at: number }>(oldest)[0]?.at ?? null;
  }

  /** Deletes at most `limit` verdicts made before `beforeMs`; false when none were left. */
  purge(beforeMs: number, limit: number): boolean {
    const rows = this.#db.run<{ id: string; created_at_ms: number }>(
      "SELECT id, created_at_ms FROM verdicts ORDER BY id LIMIT ?",
      limit,
    );
    const old = rows.filter((row) => row.created_at_ms < beforeMs);
    for (const { id } of old) this.delete(id);
    return old.length === limit;
  }

  /** With its revisions. */
  delete(id: string): void {
    this.#revisions.run("DELETE FROM revisions WHERE verdict_id = ?", id);
    this.#db.run("DELETE FROM verdicts WHERE id = ?", id);
  }

  /** What is open are rows of two states: both are ranges of one index. */
  #scanFor(query: VerdictQuery): VerdictRow[] {
    const rows = this.#scan(query);
    if (query.review !== "open" || narrowest(query)?.value !== "open") return rows;
    return [...rows, ...this.#scan({ ...query, review: "claimed" })]
      .toSorted((one, other) => (one.id < other.id ? 1 : -1))
      .slice(0, MAX_SCAN + 1);
  }

  #scan(query: VerdictQuery, scan: number = MAX_SCAN + 1): VerdictRow[] {
    const narrowed = narrowest(query);
    const where = narrowed === null ? "" : `${narrowed.column} = ? AND`;
    return this.#db.run<VerdictRow>(
      `SELECT * FROM verdicts WHERE ${where} id < ? AND id < ? AND id >= ? ORDER BY id DESC LIMIT ?`,
      ...(narrowed === null ? [] : [narrowed.value]),
      query.before ?? AFTER_ALL_IDS,
      query.toMs === null ? AFTER_ALL_IDS : firstIdAfter("vrd", query.toMs),
      query.fromMs === null ? "" : lastIdBefore("vrd", query.fromMs),
      scan,
    );
  }
}
