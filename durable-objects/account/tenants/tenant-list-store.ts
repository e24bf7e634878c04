import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Plan } from "../../../src/domain/ledger/quota.ts";
import type { Database } from "../../database.ts";
import type { TenantFilter } from "./tenant-list.ts";

/** Ids of tenants, after one of them, in the order of their tables' keys. */
export class TenantListStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Active tenants, by id. */
  listTenants(
    after: string,
    { prefix, plan, state, limit }: TenantFilter & { readonly limit: number },
  ): string[] {
    const range = [largest(after, prefix), after, endOfPrefix(prefix)] as const;
    if (plan === null && state === null) return this.#listThere("", [], range, limit);
    const plans: readonly Plan[] = plan === null ? ["free", "paid"] : [plan];
    const isSuspended = state === null ? [0, 1] : [Number(state === "suspended")];
    // Each kind by itself: the others are not read, however many there are.
    const kinds = plans.flatMap((one) => isSuspended.map((suspended) => [one, suspended] as const));
    return kinds
      .flatMap((kind) => this.#listThere("plan = ? AND suspended = ? AND", kind, range, limit))
      .toSorted()
      .slice(0, limit);
  }

  #listThere(
    kind: string,
    values: readonly (string | number)[],
    range: readonly [from: string, without: string, to: string],
    limit: number,
  ): string[] {
    return this.#db
      .run<{ tenant: string }>(
        // CROSS: in this order. The other order would read and sort all active tenants.
        `SELECT tenant FROM promises CROSS JOIN tenants ON id = tenant AND state = 'active'
          WHERE ${kind} tenant >= ? AND tenant <> ? AND tenant < ? ORDER BY tenant LIMIT ?`,
        ...values,
        ...range,
        limit,
      )
      .map(({ tenant }) => tenant);
  }

  /** Tenants that are active or have a share of the day, by id. */
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

  /** Tenants whose end has begun, whose ids begin so, after one of them. */
  listEnding(after: string, of: { readonly prefix: string; readonly limit: number }): string[] {
    return this.#db
      .run<{ id: string }>(
        `SELECT id FROM tenants WHERE state = 'deleting' AND id >= ? AND id <> ? AND id < ?
          ORDER BY id LIMIT ?`,
        largest(after, of.prefix),
        after,
        endOfPrefix(of.prefix),
        of.limit,
      )
      .map(({ id }) => id);
  }
}

/** Given two lower bounds, SQLite would begin at the first that it reads, however far below the other. */
const largest = (a: string, b: string): string => (a < b ? b : a);

/** Above all ids that begin so: they are letters, digits and hyphens. */
const endOfPrefix = (prefix: string): string => `${prefix}~`;
