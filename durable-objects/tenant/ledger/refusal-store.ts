import type { RefusalCount, RefusalDetail } from "../../../src/domain/ledger/refusal-count.ts";
import type { Database } from "../../database.ts";

type RefusalRow = { minute: number; kind: string; policy: string; count: number; body: string };

export class RefusalStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(minute: number, kind: string, policy: string): RefusalCount | null {
    const row = this.#db.run<RefusalRow>(
      "SELECT * FROM refusals WHERE minute = ? AND kind = ? AND policy = ?",
      minute,
      kind,
      policy,
    )[0];
    return row === undefined ? null : toRefusal(row);
  }

  write({ minute, kind, policy, count, detail }: RefusalCount): void {
    this.#db.run(
      `INSERT OR REPLACE INTO refusals (minute, kind, policy, count, body) VALUES (?, ?, ?, ?, ?)`,
      minute,
      kind,
      policy,
      count,
      JSON.stringify(detail),
    );
  }

  /** Newest first, `from` included, `to` not. `skip` rows of the first page's order are passed over. */
  list(
    fromMinute: number,
    toMinute: number,
    page: { skip: number; limit: number },
  ): RefusalCount[] {
    return this.#db
      .run<RefusalRow>(
        `SELECT * FROM refusals WHERE minute >= ? AND minute < ?
          ORDER BY minute DESC, kind, policy LIMIT ? OFFSET ?`,
        fromMinute,
        toMinute,
        page.limit + 1,
        page.skip,
      )
      .map(toRefusal);
  }

  /** The first minute from one on that has any; null: none has. */
  firstMinute(from: number): number | null {
    const [row] = this.#db.run<{ minute: number }>(
      "SELECT minute FROM refusals WHERE minute >= ? ORDER BY minute LIMIT 1",
      from,
    );
    return row?.minute ?? null;
  }

  /** By hour and kind; `from` included, `to` not. */
  sumByHour(
    fromMinute: number,
    toMinute: number,
  ): { readonly hour: number; readonly kind: string; readonly count: number }[] {
    return this.#db.run<{ hour: number; kind: string; count: number }>(
      `SELECT minute / 60 AS hour, kind, SUM(count) AS count FROM refusals
        WHERE minute >= ? AND minute < ? GROUP BY 1, 2 ORDER BY 1, 2`,
      fromMinute,
      toMinute,
    );
  }

  purge(beforeMinute: number, limit: number): boolean {
    const rows = this.#db.run<RefusalRow>(
      "SELECT * FROM refusals WHERE minute < ? LIMIT ?",
      beforeMinute,
      limit,
    );
    for (const { minute, kind, policy } of rows) {
      this.#db.run(
        "DELETE FROM refusals WHERE minute = ? AND kind = ? AND policy = ?",
        minute,
        kind,
        policy,
      );
    }
    return rows.length === limit;
  }
}

const toRefusal = (row: RefusalRow): RefusalCount => ({
  minute: row.minute,
  kind: row.kind,
  policy: row.policy,
  count: row.count,
  detail: JSON.parse(row.body) as RefusalDetail,
});
