import type { AccountClosure } from "../../src/domain/account-closure.ts";
import type { RateUse, RateUses } from "../../src/domain/account-rates.ts";
import {
  accountRate,
  type AccountSettings,
  ALLOCATION,
  marginOf,
  type PoolBasis,
  poolSize,
  promiseSums,
} from "../../src/domain/account-terms.ts";
import type { Day } from "../../src/domain/period.ts";
import { claimed, claimOf, type Pool } from "../../src/domain/pool.ts";
import type { Plan } from "../../src/domain/quota.ts";
import { asksNoEngine, DEFAULT_RATES, standing } from "../../src/domain/rate-limit.ts";
import { accountWarnings, type Warning } from "../../src/domain/account-warnings.ts";
import type { TenantPromise } from "./pool-store.ts";

/** How the account stands, for who looks at it. Amounts are µN. */
export interface PoolOverview {
  readonly plan: Plan;
  readonly day: Day;
  /** Null: nothing is shared out. */
  readonly size: number | null;
  readonly allocation: number;
  readonly margin: number;
  readonly spent: number | null;
  readonly held: number | null;
  /** Granted, and neither spent nor held as far as was reported. */
  readonly leased: number | null;
  readonly free: number | null;
  readonly floors: number;
  readonly promised: number;
  readonly closure: AccountClosure | null;
  readonly rates: readonly {
    readonly name: string;
    readonly limit: number;
    readonly remaining: number;
    readonly freesAtMs: number | null;
  }[];
  readonly tenants: readonly {
    readonly tenant: string;
    readonly granted: number;
    readonly spent: number;
    readonly held: number;
    readonly reserved: number;
    readonly promised: number;
  }[];
  readonly warnings: readonly Warning[];
  readonly settings: AccountSettings;
}

export function poolOverview(at: {
  readonly basis: PoolBasis;
  readonly pool: Pool;
  readonly closure: AccountClosure | null;
  readonly promises: readonly TenantPromise[];
  readonly uses: RateUses;
  readonly nowMs: number;
}): PoolOverview {
  const { basis, pool, promises } = at;
  const size = poolSize(basis);
  const sums = promiseSums(promises);
  return {
    plan: basis.plan,
    day: pool.day,
    size,
    allocation: ALLOCATION,
    margin: marginOf(basis),
    ...(size === null ? NOT_POOLED : amountsOf(pool, size)),
    ...sums,
    closure: at.closure?.day === pool.day ? at.closure : null,
    rates: ratesOf(basis.settings, at.uses, at.nowMs),
    tenants: tenantsOf(pool, promises),
    warnings: accountWarnings(sums, size),
    settings: basis.settings,
  };
}

const NOT_POOLED = { spent: null, held: null, leased: null, free: null };

function amountsOf(pool: Pool, size: number) {
  const shares = [...pool.shares.values()];
  return {
    spent: total(shares.map((share) => share.spent)),
    held: total(shares.map(({ pending }) => pending)),
    leased: total(shares.map((share) => claimOf(share) - share.spent - share.pending)),
    free: Math.max(0, size - claimed(pool)),
  };
}

function ratesOf(settings: AccountSettings, uses: RateUses, nowMs: number): PoolOverview["rates"] {
  const names = new Set([
    ...Object.keys(DEFAULT_RATES).filter((name) => !asksNoEngine(name)),
    ...Object.keys(settings.rpm),
    ...uses.keys(),
  ]);
  return [...names].map((name) => {
    const limit = accountRate(settings, name);
    return standing({ [name]: windowOf(uses.get(name) ?? new Map()) }, { name, limit }, nowMs);
  });
}

function windowOf(uses: ReadonlyMap<string, RateUse>): RateUse["window"] {
  const seconds = new Map<number, number>();
  for (const { window } of uses.values()) {
    for (const [second, units] of window) seconds.set(second, (seconds.get(second) ?? 0) + units);
  }
  return [...seconds].toSorted(([a], [b]) => a - b);
}

function tenantsOf(pool: Pool, promises: readonly TenantPromise[]): PoolOverview["tenants"] {
  const of = (tenant: string) => [...pool.shares.values()].filter((one) => one.tenant === tenant);
  const names = new Set([
    ...promises.map(({ tenant }) => tenant),
    ...[...pool.shares.values()].map(({ tenant }) => tenant),
  ]);
  const known = new Map(promises.map((promise) => [promise.tenant, promise]));
  return [...names].toSorted().map((tenant) => ({
    tenant,
    granted: total(of(tenant).map(({ granted }) => granted)),
    spent: total(of(tenant).map(({ spent }) => spent)),
    held: total(of(tenant).map(({ pending }) => pending)),
    reserved: known.get(tenant)?.floor ?? 0,
    promised: known.get(tenant)?.plan === "free" ? (known.get(tenant)?.daily ?? 0) : 0,
  }));
}

const total = (amounts: readonly number[]): number => amounts.reduce((sum, one) => sum + one, 0);
