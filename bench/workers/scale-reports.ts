import { DurableObject } from "cloudflare:workers";
import { dayOf } from "../../src/domain/period.ts";
import { readDrawn, readTotals } from "../../src/reports/usage-store.ts";

// The reports' database as an object's file: the cursors say which rows a statement reads, as D1 bills
// them.

type Statement = { readonly sql: string; readonly values: readonly unknown[] };

export class Reports extends DurableObject {
  #rowsRead = 0;

  /** `GET /scale/reports/month`: the month to date, and today's totals beside it. */
  override async fetch(request: Request): Promise<Response> {
    const [, , , , from = "", to = ""] = new URL(request.url).pathname.split("/");
    if (to === "") {
      // So that there is a file to be filled.
      this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS made (at INTEGER)");
      return Response.json({ day: dayOf(Date.now()) });
    }
    const scope = { from: Number(from), to: Number(to), tenant: null };
    this.#rowsRead = 0;
    const database = this.#database();
    const [totals, drawn] = [await readTotals(database, scope), await readDrawn(database, scope)];
    return Response.json({
      rows: this.#rowsRead,
      calls: totals.calls.calls,
      drawn: drawn.calls.calls,
    });
  }

  /** As much of D1 as these readers use. */
  #database(): D1Database {
    const prepare = (sql: string, values: readonly unknown[] = []) => ({
      sql,
      values,
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
