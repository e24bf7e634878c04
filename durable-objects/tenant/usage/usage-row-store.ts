import type { Day } from "../../../src/domain/ledger/period.ts";
import type {
  ReportRowKind,
  ReportRows,
  RowVersion,
  SentRow,
  UserDay,
} from "../../../src/domain/usage/report-rows.ts";
import { inOrder } from "../../../src/domain/usage/usage-fold.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { FEED, REPORT_USERS } from "./feed-schema.ts";

type StoredRow = { kind: ReportRowKind; key: string; sequence: number; body: string };

const COLUMNS = "kind, key, sequence, body";

/** Before every row. */
export const FIRST_ROW: readonly [string, string] = ["", ""];

export class ReportRowStore {
  readonly #db: FeatureDatabase;
  readonly #users: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(FEED);
    this.#users = db.of(REPORT_USERS);
  }

  read<Kind extends ReportRowKind>(kind: Kind, key: string): ReportRows[Kind] | null {
    const [stored] = this.#db.run<StoredRow>(
      `SELECT ${COLUMNS} FROM report_rows WHERE kind = ? AND key = ?`,
      kind,
      key,
    );
    return stored === undefined ? null : rowOf(kind, stored);
  }

  /** The row waits from now on until the reports have it. */
  write({ kind, key, row }: SentRow): void {
    const { sequence, ...body } = row;
    this.#db.run(
      `INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES (?, ?, ?, 1, ?)
        ON CONFLICT (kind, key) DO UPDATE
        SET sequence = excluded.sequence, waiting = 1, body = excluded.body`,
      kind,
      key,
      sequence,
      JSON.stringify(body),
    );
  }

  /** Rows that the reports may not have yet, after a place among all rows. */
  listWaiting(after: readonly [string, string], limit: number): SentRow[] {
    return this.#db
      .run<StoredRow>(
        `SELECT ${COLUMNS} FROM report_rows INDEXED BY report_rows_waiting
          WHERE waiting = 1 AND (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?`,
        ...after,
        limit,
      )
      .map(toSentRow);
  }

  countWaiting(): number {
    const [row] = this.#db.run<{ rows: number }>(
      `SELECT COUNT(*) AS rows FROM report_rows INDEXED BY report_rows_waiting WHERE waiting = 1`,
    );
    return row?.rows ?? 0;
  }

  /** @param upTo of that sequence or a lower one */
  isAnyWaiting(upTo: number = Number.MAX_SAFE_INTEGER): boolean {
    const rows = this.#db.run(
      `SELECT 1 AS found FROM report_rows INDEXED BY report_rows_waiting
        WHERE waiting = 1 AND sequence <= ? LIMIT 1`,
      upTo,
    );
    return rows.length > 0;
  }

  isWaiting(kind: string, key: string): boolean {
    const rows = this.#db.run(
      "SELECT 1 AS found FROM report_rows WHERE kind = ? AND key = ? AND waiting = 1",
      kind,
      key,
    );
    return rows.length > 0;
  }

  /** Those that have not changed since wait no more. */
  delivered(versions: readonly RowVersion[]): void {
    this.#db.run(
      `UPDATE report_rows SET waiting = 0 WHERE waiting = 1 AND (kind, key, sequence) IN
        (SELECT value ->> 'kind', value ->> 'key', value ->> 'sequence' FROM json_each(?))`,
      JSON.stringify(versions.map(({ kind, key, sequence }) => ({ kind, key, sequence }))),
    );
  }

  /** The next rows after that one wait again, whatever is known of them. Returns the last; null: none. */
  waitAgain(
    after: readonly [string, string],
    limit: number,
  ): { readonly last: readonly [string, string]; readonly rows: number } | null {
    const rows = this.#db.run<{ kind: string; key: string }>(
      "SELECT kind, key FROM report_rows WHERE (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?",
      ...after,
      limit,
    );
    const last = rows.at(-1);
    if (last === undefined) return null;
    this.#db.run(
      `UPDATE report_rows SET waiting = 1
        WHERE (kind, key) > (?, ?) AND (kind, key) <= (?, ?) AND waiting = 0`,
      ...after,
      last.kind,
      last.key,
    );
    return { last: [last.kind, last.key], rows: rows.length };
  }

  /** Deletes at most `limit` rows of a kind before a key; true when there may be more. */
  purge(kind: ReportRowKind, beforeKey: string, limit: number): boolean {
    const rows = this.#db.run<{ key: string }>(
      "SELECT key FROM report_rows WHERE kind = ? AND key < ? ORDER BY key LIMIT ?",
      kind,
      beforeKey,
      limit,
    );
    for (const { key } of rows) this.#delete(kind, key);
    return rows.length === limit;
  }

  /** Of the oldest `limit` logged verdicts those that have expired; true when there may be more. */
  purgeExpired(nowMs: number, limit: number): boolean {
    const oldest = this.list("logged_verdict", "", limit);
    const expired = oldest.filter(({ row }) => row.expiresAtMs < nowMs);
    for (const { key } of expired) this.#delete("logged_verdict", key);
    return expired.length === limit;
  }

  #delete(kind: ReportRowKind, key: string): void {
    this.#db.run("DELETE FROM report_rows WHERE kind = ? AND key = ?", kind, key);
  }

  /** A page of rows of a kind after a key, in order. */
  list<Kind extends ReportRowKind>(
    kind: Kind,
    after: string,
    limit: number,
  ): { readonly key: string; readonly row: ReportRows[Kind] }[] {
    return this.#db
      .run<StoredRow>(
        `SELECT ${COLUMNS} FROM report_rows WHERE kind = ? AND key > ? ORDER BY key LIMIT ?`,
        kind,
        after,
        limit,
      )
      .map((stored) => ({ key: stored.key, row: rowOf(kind, stored) }));
  }

  /** All rows of a kind from a key on and before another, in order. */
  within<Kind extends ReportRowKind>(
    kind: Kind,
    [from, to]: readonly [string, string],
  ): ReportRows[Kind][] {
    return this.#db
      .run<StoredRow>(
        `SELECT ${COLUMNS} FROM report_rows WHERE kind = ? AND key >= ? AND key < ? ORDER BY key`,
        kind,
        from,
        to,
      )
      .map((stored) => rowOf(kind, stored));
  }

  /** Logged verdicts that name a person, after a key: looks at no more than `scan` rows. */
  loggedOf(userId: string, { after, scan }: { readonly after: string; readonly scan: number }) {
    const rows = this.list("logged_verdict", after, scan);
    const records = rows.filter(({ row }) => row.userId === userId);
    return { records, next: rows.length < scan ? null : (rows.at(-1)?.key ?? null) };
  }

  /** A person's days, each found by its place: a row read for each day that is kept. */
  daysOf(userId: string): readonly { readonly key: string; readonly row: UserDay }[] {
    const [days] = this.#users.run<{ first: number | null; last: number | null }>(
      `SELECT (SELECT day FROM report_users ORDER BY day LIMIT 1) AS first,
        (SELECT day FROM report_users ORDER BY day DESC LIMIT 1) AS last`,
    );
    const first = days?.first ?? 0;
    const all = Array.from({ length: (days?.last ?? -1) - first + 1 }, (_, at) => first + at);
    return all.flatMap((day) => {
      const slot = this.slotOf(day, userId);
      const key = userKey(day, slot ?? 0);
      const row = slot === null ? null : this.read("user_day", key);
      return row === null ? [] : [{ key, row }];
    });
  }

  /** The highest place that a user has on a day; 0: nobody has one. */
  lastSlot(day: Day): number {
    const [row] = this.#db.run<{ slot: string }>(
      `SELECT key AS slot FROM report_rows WHERE kind = 'user_day' AND key >= ? AND key < ?
        ORDER BY key DESC LIMIT 1`,
      inOrder(day),
      inOrder(day + 1),
    );
    return row === undefined ? 0 : Number(row.slot.split("|")[1]);
  }

  slotOf(day: Day, userId: string): number | null {
    const [row] = this.#users.run<{ slot: number }>(
      "SELECT slot FROM report_users WHERE day = ? AND user_id = ?",
      day,
      userId,
    );
    return row?.slot ?? null;
  }

  giveSlot(day: Day, userId: string, slot: number): void {
    this.#users.run(
      "INSERT INTO report_users (day, user_id, slot) VALUES (?, ?, ?)",
      day,
      userId,
      slot,
    );
  }

  forgetUser(day: Day, userId: string): void {
    this.#users.run("DELETE FROM report_users WHERE day = ? AND user_id = ?", day, userId);
  }

  /** The first day on which a user has a place; null: there is none. */
  oldestDay(): Day | null {
    const [row] = this.#users.run<{ day: number }>(
      "SELECT day FROM report_users ORDER BY day LIMIT 1",
    );
    return row?.day ?? null;
  }

  /** Places of days before this one; true when there may be more. */
  purgeUsers(before: Day, limit: number): boolean {
    const rows = this.#users.run<{ day: number; user_id: string }>(
      "SELECT day, user_id FROM report_users WHERE day < ? LIMIT ?",
      before,
      limit,
    );
    for (const { day, user_id: userId } of rows) this.forgetUser(day, userId);
    return rows.length === limit;
  }
}

export const userKey = (day: Day, slot: number): string =>
  `${inOrder(day)}|${String(slot).padStart(4, "0")}`;

/** @param _kind of the row, as in the statement */
const rowOf = <Kind extends ReportRowKind>(_kind: Kind, stored: StoredRow): ReportRows[Kind] =>
  toSentRow(stored).row as unknown as ReportRows[Kind];

/** The body is what `write` made of a row of this kind: hence the casts. */
function toSentRow({ kind, key, sequence, body }: StoredRow): SentRow {
  const row = { ...(JSON.parse(body) as object), sequence };
  return { kind, key, row } as unknown as SentRow;
}
