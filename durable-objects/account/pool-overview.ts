import type { AccountClosure } from "../../src/domain/account-closure.ts";
import type { RateUse, RateUses } from "../../src/domain/account-rates.ts";
import {
  accountRate,
  type AccountSettings,
  ALLOCATION,
  marginOf,
  type PoolBasis,
  poolSize,
  type PromiseSums,
} from "../../src/domain/account-terms.ts";
import type { Day } from "../../src/domain/period.ts";
import type { DayPool } from "../../src/domain/day-pool.ts";
import { claimOf } from "../../src/domain/pool.ts";
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
  readonly pool: DayPool;
  readonly closure: AccountClosure | null;
  readonly promises: ReadonlyMap<string, TenantPromise>;
  readonly sums: PromiseSums;
  readonly uses: RateUses;
  readonly nowMs: number;
}): PoolOverview {
  const { basis, pool, promises, sums } = at;
  const size = poolSize(basis);
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

function amountsOf(pool: DayPool, size: number) {
  const shares = [...pool.shares.values()];
  return {
    spent: pool.spent,
    held: total(shares.map(({ pending }) => pending)),
    leased: total(shares.map((share) => claimOf(share) - share.spent - share.pending)),
    free: Math.max(0, size - pool.claimed),
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

/** In one pass over the shares and one over the tenants. */
function tenantsOf(
  pool: DayPool,
  promises: ReadonlyMap<string, TenantPromise>,
): PoolOverview["tenants"] {
  const amounts = new Map<string, { granted: number; spent: number; held: number }>();
  for (const { tenant, granted, spent, pending } of pool.shares.values()) {
    const known = amounts.get(tenant) ?? NOTHING;
    amounts.set(tenant, {
      granted: known.granted + granted,
      spent: known.spent + spent,
      held: known.held + pending,
    });
  }
  return [...new Set([...promises.keys(), ...amounts.keys()])].toSorted().map((tenant) => {
    const promise = promises.get(tenant);
    return {
      tenant,
      ...(amounts.get(tenant) ?? NOTHING),
      reserved: promise?.floor ?? 0,
      promised: promise?.plan === "free" ? promise.daily : 0,
    };
  });
}

const NOTHING = { granted: 0, spent: 0, held: 0 };

const total = (amounts: readonly number[]): number => amounts.reduce((sum, one) => sum + one, 0);
