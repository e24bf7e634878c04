import { CATALOGUE } from "../catalogue/catalogue.ts";
import {
  fromNeurons,
  type MicroNeurons,
  microNeurons,
  minusOrZero,
  most,
} from "../ledger/micro-neurons.ts";
import { microNeuronsFor } from "../ledger/money.ts";
import type { Plan } from "../ledger/quota.ts";
import { DEFAULT_RATES, type RateClass } from "../ledger/rate-limit.ts";

// The platform's settings for the whole Cloudflare account, and the limits that follow from them.

/**
 * The free allocation of each account in a UTC day; on the free plan there is no more. Source: Workers AI's
 * prices.
 */
export const ALLOCATION: MicroNeurons = microNeurons(10_000_000_000);

/** In the names and units of the wire. */
export interface AccountSettings {
  /** Neurons a UTC day for all tenants together; null: as many as the plan allows. */
  readonly daily_cap_neurons: number | null;
  /** The most that neurons beyond the free allocation may cost in a UTC month; null: no such cap. */
  readonly monthly_cap_usd: string | null;
  /**
   * Engine calls of all tenants in a rolling minute, by rate class; classes without an entry have defaults.
   */
  readonly rpm: Readonly<Record<RateClass, number>>;
  /** Neurons of the day that no tenant is granted. A larger measured margin takes its place. */
  readonly safety_margin_neurons: number;
  /** Shares of the day's pool: an event tells the platform when each is spent. */
  readonly thresholds: readonly number[];
  /** The share of the day's pool that one call may hold; a larger floor of its tenant applies instead. */
  readonly max_hold_share: number;
  /** The share of the unspent pool that one tenant may keep unused while another tenant asks too. */
  readonly max_unspent_share: number;
}

export const DEFAULT_ACCOUNT_SETTINGS: AccountSettings = {
  daily_cap_neurons: null,
  monthly_cap_usd: null,
  rpm: {},
  safety_margin_neurons: 0,
  thresholds: [0.8, 0.95],
  max_hold_share: 0.2,
  max_unspent_share: 0.333,
};

/** RFC 7396: null means the default; in `rpm` it removes the class. */
export type AccountPatch = {
  readonly [K in Exclude<keyof AccountSettings, "rpm">]?: AccountSettings[K] | null;
} & { readonly rpm?: Readonly<Record<RateClass, number | null>> | null };

export function patchedAccount(settings: AccountSettings, patch: AccountPatch): AccountSettings {
  const { rpm, ...fields } = patch;
  const changed = Object.entries(fields).map(([name, value]) => [
    name,
    value ?? DEFAULT_ACCOUNT_SETTINGS[name as keyof AccountSettings],
  ]);
  return {
    ...settings,
    ...(Object.fromEntries(changed) as Partial<AccountSettings>),
    rpm: rpm === null ? {} : withoutNulls({ ...settings.rpm, ...rpm }),
  };
}

const withoutNulls = (rpm: Readonly<Record<RateClass, number | null>>): Record<RateClass, number> =>
  Object.fromEntries(
    Object.entries(rpm).flatMap(([name, limit]) => (limit === null ? [] : [[name, limit]])),
  );

/** The account's limit in any minute: the setting, else the default of the class, else the model's own. */
export const accountRate = (settings: AccountSettings, name: RateClass): number =>
  settings.rpm[name] ??
  DEFAULT_RATES[name as keyof typeof DEFAULT_RATES] ??
  CATALOGUE.get(name)?.rpm ??
  DEFAULT_RATES.other;

/** Whether neurons are shared from a pool. On the paid plan they are only with a cap. */
export const isPooled = (plan: Plan, settings: AccountSettings): boolean =>
  plan === "free" || settings.daily_cap_neurons !== null || settings.monthly_cap_usd !== null;

/** What the size of a day's pool depends on. */
export interface PoolBasis {
  readonly plan: Plan;
  readonly settings: AccountSettings;
  /** µN of earlier days of the month beyond each day's free allocation: these are billed. */
  readonly billedBefore: number;
  /** The margin that reconciliation measured. */
  readonly measuredMargin: MicroNeurons;
}

/** The day's pool without its margin, in µN; null: there is no pool and nothing is shared. */
export function poolSize(basis: PoolBasis): MicroNeurons | null {
  const whole = wholePool(basis);
  return whole === null ? null : minusOrZero(whole, marginOf(basis));
}

/** The same with the margin included. */
export function wholePool({ plan, settings, billedBefore }: PoolBasis): MicroNeurons | null {
  if (!isPooled(plan, settings)) return null;
  const caps: number[] = plan === "free" ? [ALLOCATION] : [];
  const daily = settings.daily_cap_neurons;
  if (daily !== null) caps.push(fromNeurons(daily) ?? 0);
  const monthly = settings.monthly_cap_usd;
  if (monthly !== null) {
    const left = Math.max(0, microNeuronsFor(monthly) - billedBefore);
    caps.push(Math.min(Number.MAX_SAFE_INTEGER, ALLOCATION + left));
  }
  return microNeurons(Math.min(...caps));
}

export const marginOf = ({ settings, measuredMargin }: PoolBasis): MicroNeurons =>
  most(measuredMargin, fromNeurons(settings.safety_margin_neurons) ?? microNeurons(0));

/** The account's settings that decide whether a lease is granted. */
export interface LeaseTerms {
  readonly isShared: boolean;
  readonly size: number;
  readonly holdShare: number;
  readonly unspentShare: number;
}

export const leaseTerms = (basis: PoolBasis): LeaseTerms => ({
  isShared: isPooled(basis.plan, basis.settings),
  size: poolSize(basis) ?? Infinity,
  holdShare: basis.settings.max_hold_share,
  unspentShare: basis.settings.max_unspent_share,
});

/** Whether a lease that was refused under `before` may be granted under `after`. */
export const mayGrantMore = (before: LeaseTerms, after: LeaseTerms): boolean =>
  before.isShared &&
  (after.size > before.size ||
    after.holdShare > before.holdShare ||
    after.unspentShare > before.unspentShare);

/** What one tenant's settings promise from the account. */
export interface Promised {
  readonly plan: Plan;
  readonly daily: MicroNeurons;
  readonly floor: MicroNeurons;
  /** A suspended tenant is promised nothing. */
  readonly suspended: boolean;
}

export interface PromiseSums {
  readonly floors: number;
  /** The quotas of free tenants, or their floors if larger, plus the floors of paid tenants. */
  readonly promised: number;
}

export const promiseSums = (promises: Iterable<Promised>): PromiseSums => {
  let floors = 0;
  let promised = 0;
  for (const { plan, daily, floor, suspended } of promises) {
    if (suspended) continue;
    floors += floor;
    promised += plan === "free" ? Math.max(daily, floor) : floor;
  }
  return { floors, promised };
};

export const NO_PROMISES: PromiseSums = { floors: 0, promised: 0 };

export const sumOf = (one: PromiseSums, other: PromiseSums): PromiseSums => ({
  floors: one.floors + other.floors,
  promised: one.promised + other.promised,
});

/** The sums of `promises` minus `before`: negative when they are smaller. */
export function promisesBeyond(before: PromiseSums, promises: Iterable<Promised>): PromiseSums {
  const { floors, promised } = promiseSums(promises);
  return { floors: floors - before.floors, promised: promised - before.promised };
}

/** A warning for the person who sets quotas; nothing is refused because of it. */
export interface PromiseWarning {
  readonly kind: "floors_above_pool" | "promised_above_pool" | "promised_above_allocation";
  readonly detail: string;
  readonly promised: number;
  /** The amount that exists. */
  readonly available: number;
}

/** @param size the day's pool; null: there is none, and neurons beyond the free allocation are billed */
export function promiseWarnings(
  { floors, promised }: PromiseSums,
  size: MicroNeurons | null,
): readonly PromiseWarning[] {
  const warnings: PromiseWarning[] = [];
  if (size !== null && floors > size) {
    const detail = `The floors of all tenants add up to ${inWords(floors)} neurons and the pool of a day is ${inWords(size)}: not all of them can be kept.`;
    warnings.push({ kind: "floors_above_pool", detail, promised: floors, available: size });
  }
  if (size !== null && promised > size) {
    const detail = `All tenants together are promised ${inWords(promised)} neurons a day and the pool is ${inWords(size)}: when they use what they were promised, some are refused.`;
    warnings.push({ kind: "promised_above_pool", detail, promised, available: size });
  }
  if (size === null && promised > ALLOCATION) {
    const detail = `All tenants together are promised ${inWords(promised)} neurons a day and ${inWords(ALLOCATION)} of them are free of charge: the rest is billed to the account.`;
    warnings.push({
      kind: "promised_above_allocation",
      detail,
      promised,
      available: ALLOCATION,
    });
  }
  return warnings;
}

const inWords = (amount: number): string => String(Math.round(amount / 1000) / 1000);
