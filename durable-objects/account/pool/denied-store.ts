import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";

/** A tenant that refuses calls by itself because of an answer that it got. */
export interface DeniedTenant {
  readonly tenant: string;
  readonly day: Day;
  /** The latest notice when it was first denied something, since it last learned of a relief. */
  readonly notice: number;
  /** It knows that the day is closed. */
  readonly isClosed: boolean;
}

type DeniedRow = { tenant: string; day: number; notice: number; is_closed: number };

export class DeniedStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(tenant: string): DeniedTenant | null {
    const [row] = this.#db.run<DeniedRow>("SELECT * FROM denied_tenants WHERE tenant = ?", tenant);
    return row === undefined ? null : toDenied(row);
  }

  write({ tenant, day, notice, isClosed }: DeniedTenant): void {
    this.#db.run(
      "INSERT OR REPLACE INTO denied_tenants (tenant, day, notice, is_closed) VALUES (?, ?, ?, ?)",
      tenant,
      day,
      notice,
      isClosed ? 1 : 0,
    );
  }

  remove(tenant: string): void {
    this.#db.run("DELETE FROM denied_tenants WHERE tenant = ?", tenant);
  }

  /** By name, after one of them: tenants denied something of that day, or a later one, before a notice. */
  list(
    { day, before, after }: { readonly day: Day; readonly before: number; readonly after: string },
    limit: number,
  ): DeniedTenant[] {
    return this.#db
      .run<DeniedRow>(
        `SELECT * FROM denied_tenants WHERE tenant > ? AND day >= ? AND notice < ?
          ORDER BY tenant LIMIT ?`,
        after,
        day,
        before,
        limit,
      )
      .map(toDenied);
  }

  has(day: Day, before: number): boolean {
    return this.list({ day, before, after: "" }, 1).length > 0;
  }

  count(day: Day, before: number): number {
    const [row] = this.#db.run<{ count: number }>(
      "SELECT COUNT(*) AS count FROM denied_tenants WHERE day >= ? AND notice < ?",
      day,
      before,
    );
    return row?.count ?? 0;
  }

  /** Deletes rows of earlier days, some at a time; true when none is left. */
  purge(before: Day, limit: number): boolean {
    const gone = this.#db.run(
      `DELETE FROM denied_tenants WHERE tenant IN
        (SELECT tenant FROM denied_tenants WHERE day < ? LIMIT ?) RETURNING tenant`,
      before,
      limit,
    );
    return gone.length < limit;
  }
}

const toDenied = ({ is_closed: isClosed, ...row }: DeniedRow): DeniedTenant => ({
  ...row,
  isClosed: isClosed === 1,
});
