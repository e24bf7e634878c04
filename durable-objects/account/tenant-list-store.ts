import type { Day } from "../../src/domain/period.ts";
import type { Database } from "../database.ts";
import type { TenantFilter } from "./tenant-list.ts";

/** Ids of tenants, after one of them, in the order of their tables' keys. */
export class TenantListStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of tenants that are there, by id. */
  listTenants(
    after: string,
    { prefix, plan, state, limit }: TenantFilter & { readonly limit: number },
  ): string[] {
    const suspended = state === null ? null : Number(state === "suspended");
    return this.#db
      .run<{ tenant: string }>(
        `SELECT tenant FROM promises JOIN tenants ON id = tenant AND state = 'active'
          WHERE tenant > ? AND tenant >= ? AND tenant < ? AND plan = IFNULL(?, plan)
            AND suspended = IFNULL(?, suspended)
          ORDER BY tenant LIMIT ?`,
        after,
        prefix,
        endOfPrefix(prefix),
        plan,
        suspended,
        limit,
      )
      .map(({ tenant }) => tenant);
  }

  /** Tenants that are there or have a share of the day, by id. */
  listSharing(day: Day, after: string, limit: number): string[] {
    return this.#db
      .run<{ tenant: string }>(
        `SELECT tenant FROM promises WHERE tenant > ?
          UNION SELECT tenant FROM pool_shares WHERE day = ? AND tenant > ?
          ORDER BY tenant LIMIT ?`,
        after,
        day,
        after,
        limit,
      )
      .map(({ tenant }) => tenant);
  }

  /** Of ids that begin so, after one of them. */
  listEnding(after: string, of: { readonly prefix: string; readonly limit: number }): string[] {
    return this.#db
      .run<{ id: string }>(
        `SELECT id FROM tenants WHERE state = 'deleting' AND id > ? AND id >= ? AND id < ?
          ORDER BY id LIMIT ?`,
        after,
        of.prefix,
        endOfPrefix(of.prefix),
        of.limit,
      )
      .map(({ id }) => id);
  }
}

/** Above all ids that begin so: they are letters, digits and hyphens. */
const endOfPrefix = (prefix: string): string => `${prefix}~`;
