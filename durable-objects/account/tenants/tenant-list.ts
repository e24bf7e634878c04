import type {
  ListedTenantRow,
  SharingTenant,
  TenantPlace,
  TenantState,
} from "../../../src/domain/account/listed-tenant.ts";
import { promiseSums } from "../../../src/domain/account/account-terms.ts";
import type { Amounts, DayPool } from "../../../src/domain/account/day-pool.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import type { Plan } from "../../../src/domain/ledger/quota.ts";
import type { TenantListStore } from "./tenant-list-store.ts";
import type { PoolCache } from "../pool/pool-cache.ts";
import type { TenantPromise } from "../pool/promise-store.ts";
import { idsInOrder, type Listed, type OrderedIds, type TenantPage } from "./tenant-order.ts";

// What the account knows of its tenants, without a call of their objects.

export interface TenantFilter {
  readonly prefix: string;
  readonly plan: Plan | null;
  /** Null: all but those that are about to end. */
  readonly state: TenantState | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; null: this is the last one. A page may be short without being the last. */
  readonly next: TenantPlace | null;
}

/** The day, and a page of ids. */
interface Found extends OrderedIds {
  readonly pool: DayPool;
}

export class TenantList {
  readonly #store: TenantListStore;
  readonly #cache: PoolCache;

  constructor(store: TenantListStore, cache: PoolCache) {
    this.#store = store;
    this.#cache = cache;
  }

  /** Tenants with their settings, as far as these matter to the account. */
  list(requested: TenantPage, filter: TenantFilter, wallMs: number): Page<ListedTenantRow> {
    const { prefix, plan, state } = filter;
    const { promises } = this.#cache;
    const isOver = state === "deleting";
    // These are few, and have nothing of the day any more.
    const page: TenantPage = isOver ? { ...requested, sort: "id" } : requested;
    const isOnList = (promise: TenantPromise): boolean =>
      (state === null || promise.suspended === (state === "suspended")) &&
      (plan === null || promise.plan === plan);
    const accepted = (ids: readonly string[]): readonly string[] => {
      const kept = new Set(
        promises
          .among(ids)
          .filter(isOnList)
          .map(({ tenant }) => tenant),
      );
      return ids.filter((id) => kept.has(id));
    };
    const idsAfter = isOver
      ? (id: string, limit: number) =>
          plan === null ? this.#store.listEnding(id, { prefix, limit }) : []
      : (id: string, limit: number) => this.#store.listTenants(id, { ...filter, limit });
    const day = dayOf(this.#cache.now(wallMs));
    const found = this.#find(page, { prefix, accepted, idsAfter }, day);
    return pageOf(found, (id, today) => {
      const settings = isOver ? null : (promises.get(id) ?? null);
      if (settings === null) return { id, state: "deleting", settings, today };
      return { id, state: settings.suspended ? "suspended" : "active", settings, today };
    });
  }

  /** What each tenant has of the day's pool and was promised. Those that ended today are in it. */
  sharing(page: TenantPage, wallMs: number): Page<SharingTenant> {
    const day = dayOf(this.#cache.now(wallMs));
    const idsAfter = (id: string, limit: number) => this.#store.listSharing(day, id, limit);
    const found = this.#find(page, { prefix: "", accepted: (ids) => ids, idsAfter }, day);
    return pageOf(found, (id, today) => {
      const promise = this.#cache.promises.get(id);
      const { floors } = promiseSums(promise === undefined ? [] : [promise]);
      const isFree = promise?.plan === "free" && !promise.suspended;
      return { id, today, floor: floors, promised: isFree ? promise.daily : 0 };
    });
  }

  #find(
    page: TenantPage,
    { prefix, ...of }: Pick<Listed, "accepted" | "idsAfter"> & { readonly prefix: string },
    day: Day,
  ): Found {
    const pool = this.#cache.pool(day);
    const amounts = () => amountsOf(pool, prefix);
    const listed: Listed = { ...of, amounts, amountsOf: (id) => pool.amountsOf(id) };
    return { pool, ...idsInOrder(page, listed) };
  }
}

const pageOf = <Item>(
  { pool, ids, next }: Found,
  toItem: (id: string, today: Amounts) => Item,
): Page<Item> => ({ items: ids.map((id) => toItem(id, pool.amountsOf(id))), next });

function* amountsOf(pool: DayPool, prefix: string): Generator<readonly [string, Amounts]> {
  for (const one of pool.allAmounts()) if (one[0].startsWith(prefix)) yield one;
}
