import { DurableObject } from "cloudflare:workers";
import { dayOf } from "../../src/domain/ledger/period.ts";
import { addCalls } from "../../src/domain/usage/usage-report.ts";
import { readLargest } from "../../src/reports/largest-usage-store.ts";
import { readDrawn, readTotals } from "../../src/reports/usage-store.ts";

// The reports' database as an object's file. The cursors report the rows that a statement reads, as D1
// bills them.

/** `group_by=hour,tenant&largest=20` */
const OVERVIEW = { groupBy: ["hour", "tenant"], most: 20 } as const;

type Statement = { readonly sql: string; readonly values: readonly unknown[] };

export class Reports extends DurableObject {
  #rowsRead = 0;

  /**
   * `GET /scale/reports/month/FIRST/TODAY`: today with the month to date, as `GET /admin/usage` has them.
   * `/hours/FIRST/TODAY`: the hours of these days, as the console's overview reads them.
   */
  override async fetch(request: Request): Promise<Response> {
    const [, , , what, first = "", today = ""] = new URL(request.url).pathname.split("/");
    if (today === "") {
      // Makes the file that the harness fills.
      this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS made (at INTEGER)");
      return Response.json({ day: dayOf(Date.now()) });
    }
    const day = Number(today);
    this.#rowsRead = 0;
    const database = this.#database();
    if (what === "hours") {
      const scope = { from: Number(first), to: day + 1, tenant: null };
      const { groups } = await readLargest(database, scope, OVERVIEW);
      const calls = groups.reduce((sum, group) => sum + (group.calls?.calls ?? 0), 0);
      return Response.json({ rows: this.#rowsRead, calls });
    }
    const totals = await readTotals(database, { from: day, to: day + 1, tenant: null });
    const before = await readDrawn(database, { from: Number(first), to: day, tenant: null });
    const { calls } = addCalls(totals.calls, before.calls);
    return Response.json({ rows: this.#rowsRead, calls });
  }

  /** The part of D1's interface that these readers use; its type has more: hence the cast. */
  #database(): D1Database {
    const prepare = (sql: string, values: readonly unknown[] = []) => ({
      sql,
      values,
      all: async () => this.#run(sql, values),
      bind: (...bound: unknown[]) => prepare(sql, bound),
    });
    return {
      prepare,
      batch: async (statements: readonly Statement[]) =>
        statements.map(({ sql, values }) => this.#run(sql, values)),
    } as unknown as D1Database;
  }

  #run(sql: string, values: readonly unknown[]) {
    const cursor = this.ctx.storage.sql.exec(sql, ...values);
    const results = cursor.toArray();
    this.#rowsRead += cursor.rowsRead;
    return { results, meta: { rows_read: cursor.rowsRead, changes: 0 } };
  }
}
