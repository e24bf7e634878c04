import type { PoolOverview } from "../../../src/domain/account/pool-overview.ts";
import type { AccountClosure } from "../../../src/domain/account/account-budget.ts";
import {
  accountRate,
  type AccountSettings,
  ALLOCATION,
  marginOf,
  type PoolBasis,
  poolSize,
  type PromiseSums,
} from "../../../src/domain/account/account-terms.ts";
import type { DayPool } from "../../../src/domain/account/day-pool.ts";
import {
  asksNoEngine,
  DEFAULT_RATES,
  type RateClass,
  standing,
  type Window,
} from "../../../src/domain/ledger/rate-limit.ts";
import { accountWarnings } from "../../../src/domain/account/account-warnings.ts";

export function poolOverview(at: {
  readonly basis: PoolBasis;
  readonly pool: DayPool;
  readonly closure: AccountClosure | null;
  readonly tenants: number;
  readonly sums: PromiseSums;
  /** Units taken of each class within the minute. */
  readonly rates: ReadonlyMap<RateClass, Window>;
  readonly nowMs: number;
}): PoolOverview {
  const { basis, pool, sums } = at;
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
    rates: ratesOf(basis.settings, at.rates, at.nowMs),
    tenants: at.tenants,
    warnings: accountWarnings(sums, size),
    settings: basis.settings,
  };
}

const NOT_POOLED = { spent: null, held: null, leased: null, free: null };

function amountsOf(pool: DayPool, size: number) {
  const { spent, held, claimed } = pool;
  return { spent, held, leased: claimed - spent - held, free: Math.max(0, size - claimed) };
}

function ratesOf(
  settings: AccountSettings,
  windows: ReadonlyMap<RateClass, Window>,
  nowMs: number,
): PoolOverview["rates"] {
  const names = new Set([
    ...Object.keys(DEFAULT_RATES).filter((name) => !asksNoEngine(name)),
    ...Object.keys(settings.rpm),
    ...windows.keys(),
  ]);
  return [...names].map((name) => {
    const limit = accountRate(settings, name);
    return standing({ [name]: windows.get(name) ?? [] }, { name, limit }, nowMs);
  });
}
