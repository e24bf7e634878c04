import { counted } from "../text/counted.ts";
import {
  asksNoEngine,
  fitsAtMs,
  type RateClass,
  type RateStatus,
  type RateUnits,
  shareOf,
  standing,
  TEST_INPUTS,
  type Windows,
} from "./rate-limit.ts";
import {
  type BudgetStatus,
  isOfAccount,
  type LocalRefusal,
  refusedLease,
} from "../account/account-budget.ts";
import type {
  ConcurrencyFailure,
  NeuronBalance,
  QuotaFailure,
  RateFailure,
  RequestFailure,
  ReservedFailure,
} from "./failure.ts";
import {
  type GrantRoom,
  NO_GRANTS,
  raisedBy,
  limitOf,
  monthBalance,
  MONTHLY,
  monthRefuses,
  type MonthRoom,
  type QuotaTerms,
  usable,
} from "./quota.ts";
import {
  formatNeurons,
  least,
  type MicroNeurons,
  minusOrZero,
  plus,
  ZERO,
} from "./micro-neurons.ts";
import { dayOf, endOf } from "./period.ts";

// Whether a call may start. The checks are in one table, in the order of refusals: the refusal that lasts
// longest comes first. All checks are made before anything is counted, so a call that fails in one class
// takes nothing from the others.

/** What a call needs. */
export interface Demand {
  /** The upper bound of its use. */
  readonly bound: MicroNeurons;
  /** Units by rate class, including `requests`. */
  readonly units: RateUnits;
  /** Only for a call for pictures on behalf of a user. */
  readonly userPictures?: UserPictures;
  /** Stages of its plan; absent: few. */
  readonly stages?: number;
  /** The call never uses an engine, so limits on neurons do not apply to it. */
  readonly asksNoEngine?: true;
  /** Only for a call of a batch: how many such calls are in progress. */
  readonly inFlightOfBatches?: number;
}

/** Pictures of one user on this UTC day. */
export interface UserPictures {
  readonly limit: number;
  /** Pictures that were made, or that calls in progress ask for. */
  readonly used: number;
  readonly wanted: number;
  /** They are of calls that name no user. */
  readonly ofNobody?: true;
}

/** Its name in `violated-policies`. */
export const DAILY_IMAGES_PER_USER = "daily_images_per_user";

/** Everything that an admission depends on, at `nowMs`. */
export interface AdmissionState {
  readonly nowMs: number;
  readonly terms: QuotaTerms;
  /** The amount of the day of `nowMs`. */
  readonly posted: MicroNeurons;
  readonly pending: MicroNeurons;
  /** Absent: there are no grants, and none were drawn on today. */
  readonly grants?: GrantRoom;
  /** Absent: the month has no cap. */
  readonly month?: MonthRoom;
  readonly windows: Windows;
  readonly rateLimit: (name: RateClass) => number;
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** The Cloudflare account's own daily allocation is known to be used up. */
  readonly accountClosed: boolean;
  /** The tenant's part of the account that all tenants share; absent: nothing is shared. */
  readonly account?: BudgetStatus;
}

export type Refusal =
  | Extract<RequestFailure, { kind: "over_limit" }>
  | QuotaFailure
  | RateFailure
  | ReservedFailure
  | ConcurrencyFailure;

type AdmissionCheck = (state: AdmissionState, demand: Demand) => Refusal | null;

const CHECKS: readonly AdmissionCheck[] = [
  overLimit,
  monthQuota,
  accountQuota,
  quota,
  userPictures,
  rates,
  reserved,
  concurrency,
];

const FREE_CHECKS: readonly AdmissionCheck[] = [overLimit, rates, concurrency];

/** The first refusal, or null when the call may be admitted. */
export function refusalOf(now: AdmissionState, demand: Demand): Refusal | null {
  for (const check of demand.asksNoEngine === true ? FREE_CHECKS : CHECKS) {
    const refusal = check(now, demand);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** The limit of the day, including the amounts that grants gave it and may still give it. */
export const limitInForce = ({ terms, grants = NO_GRANTS }: AdmissionState): MicroNeurons | null =>
  limitOf(terms, raisedBy(grants));

/**
 * The amount held by the day's calls, plus the amount that calls of earlier days may still draw on grants.
 */
export const heldOf = ({ pending, grants = NO_GRANTS }: AdmissionState): MicroNeurons =>
  plus(pending, grants.claimed);

export function neuronBalance(now: AdmissionState, required: MicroNeurons): NeuronBalance {
  const limit = limitInForce(now);
  const pending = heldOf(now);
  return {
    limit,
    posted: now.posted,
    pending,
    available: limit === null ? null : minusOrZero(limit, plus(now.posted, pending)),
    required,
    dayEndsAtMs: endOf(dayOf(now.nowMs)),
    dailyQuota: now.terms.daily,
    ...(now.month !== undefined && { month: monthBalance(now.month) }),
  };
}

/** The status of the classes that a call takes units of, in the order of `units`. */
export const rateStatuses = (now: AdmissionState, units: RateUnits): RateStatus[] =>
  Object.keys(units).map((name) =>
    standing(now.windows, { name, limit: now.rateLimit(name) }, now.nowMs),
  );

/** The most that one call may hold of the shared account; null: no such limit is known. */
export const mostHeld = ({ account }: AdmissionState): MicroNeurons | null =>
  account?.neurons?.mostHeld ?? null;

/** The most that one call can be admitted for now; null: no limit. */
export function fittingNow(now: AdmissionState): MicroNeurons | null {
  const own = usable(neuronBalance(now, ZERO));
  const held = mostHeld(now);
  return own === null || held === null ? (own ?? held) : least(own, held);
}

/** A plan is one value in a row, of at most 2 MB: a stage takes about 350 bytes of it. */
const MOST_STAGES = 4000;

function overLimit(
  now: AdmissionState,
  { bound, units, stages = 0, userPictures: pictures }: Demand,
): Refusal | null {
  if (stages > MOST_STAGES) {
    const detail = `This call needs ${stages} checks at once, and one call may need ${MOST_STAGES}: split it.`;
    return { kind: "over_limit", detail };
  }
  const limit = limitInForce(now);
  if (limit !== null && bound > limit) {
    const detail = `This call may need ${formatNeurons(bound)} neurons, and the limit of a day is ${formatNeurons(limit)}: a call with a larger bound is never admitted. Ask for less at once.`;
    return { kind: "over_limit", detail };
  }
  if (now.month !== undefined && bound > now.month.cap) {
    const detail = `This call may need ${formatNeurons(bound)} neurons, and the cap of a month is ${formatNeurons(now.month.cap)}: a call with a larger bound is never admitted. Ask for less at once.`;
    return { kind: "over_limit", detail };
  }
  const held = mostHeld(now);
  if (held !== null && bound > held) {
    const detail = `This call may need ${formatNeurons(bound)} neurons, and one call may hold at most ${formatNeurons(held)} (the account's max_hold_share): a call with a larger bound is never admitted. Ask for less at once.`;
    return { kind: "over_limit", detail };
  }
  for (const [name, needed] of Object.entries(units)) {
    const most = now.rateLimit(name);
    if (needed > most) {
      return { kind: "over_limit", detail: tooMany(name, needed, most) };
    }
    const ofAccount = refusedPermits(now, name, needed);
    if (ofAccount !== null && needed > ofAccount.limit) {
      return { kind: "over_limit", detail: tooMany(name, needed, ofAccount.limit) };
    }
  }
  if (pictures !== undefined && pictures.wanted > pictures.limit) {
    const who = pictures.ofNobody === true ? "calls without a user_id" : "a user";
    const detail = `This call asks for ${counted(pictures.wanted, "picture")}, and ${who} may have ${pictures.limit} a day: ask for at most ${pictures.limit}.`;
    return { kind: "over_limit", detail };
  }
  return null;
}

/** It lasts longer than any refusal of the day, so it comes first. */
function monthQuota(now: AdmissionState, { bound }: Demand): Refusal | null {
  if (monthRefuses(now.month, bound) !== "posted") return null;
  return { ...quotaRefusal(quotaKind(now), now, bound), policy: MONTHLY };
}

const tooMany = (name: RateClass, needed: number, most: number): string =>
  `This call needs ${needed} ${unitsOf(name)} at once, and the limit of a minute is ${most}: split it into calls of at most ${most}.`;

/** The name of a class's units in a sentence. */
function unitsOf(name: RateClass): string {
  if (!asksNoEngine(name)) return `${name} requests`;
  const items = name === TEST_INPUTS ? "test input" : "item that it stores";
  return `units of ${name} (one for each ${items})`;
}

function accountQuota(now: AdmissionState, { bound }: Demand): Refusal | null {
  const refusal = quotaRefusal("account_quota_exceeded", now, bound);
  if (now.accountClosed) return refusal;
  const refused = accountRefuses(now, bound);
  if (refused === null || refused.why === "leased") return null;
  if (refused.why === "spent") return refusal;
  return { ...refusal, reason: "too_large_for_account", againAtMs: refused.againAtMs };
}

/** The account's last refusal, while it is too early to ask again. */
const accountRefuses = (
  { account, nowMs }: AdmissionState,
  bound: MicroNeurons,
): LocalRefusal | null => (account === undefined ? null : refusedLease(account, bound, nowMs));

/** As `accountRefuses`, for the rate of a class. */
function refusedPermits({ account, nowMs }: AdmissionState, name: RateClass, needed: number) {
  if (account === undefined || !isOfAccount(name)) return null;
  const { left, refused } = account.rates(name);
  return needed > left && refused !== null && refused.fitsAtMs > nowMs ? refused : null;
}

function quota(now: AdmissionState, { bound }: Demand): Refusal | null {
  const limit = limitInForce(now);
  if (limit === null || now.posted + bound <= limit) return null;
  return quotaRefusal(quotaKind(now), now, bound);
}

const quotaKind = ({ terms }: AdmissionState): "quota_exceeded" | "overage_cap_exceeded" =>
  terms.plan === "free" ? "quota_exceeded" : "overage_cap_exceeded";

/** It ends with the day, so it comes before refusals that end within a minute. */
function userPictures(now: AdmissionState, { bound, units, userPictures: pictures }: Demand) {
  if (pictures === undefined || pictures.used + pictures.wanted <= pictures.limit) return null;
  const neurons = neuronBalance(now, bound);
  return {
    kind: "rate_limited",
    violated: [DAILY_IMAGES_PER_USER],
    rates: rateStatuses(now, units),
    fitsAtMs: neurons.dayEndsAtMs,
    userPictures: pictures,
    neurons,
    nowMs: now.nowMs,
  } as const;
}

/** Whether work that holds no neurons has room in the rates. */
export const rateRefusal = (now: AdmissionState, units: RateUnits): RateFailure | null =>
  rates(now, { bound: ZERO, units });

function rates(now: AdmissionState, { bound, units }: Demand): RateFailure | null {
  const waits = Object.entries(units).map(([name, needed]) => {
    const rate = { name, limit: now.rateLimit(name), units: needed };
    const ofAccount = refusedPermits(now, name, needed);
    const atMs = fitsAtMs(now.windows, rate, now.nowMs);
    return { name, atMs: Math.max(atMs, ofAccount?.fitsAtMs ?? 0), ofAccount };
  });
  const violated = waits.filter(({ atMs }) => atMs > now.nowMs);
  if (violated.length === 0) return null;
  const isOnlyAccounts = violated.every(({ ofAccount }) => ofAccount !== null);
  return {
    kind: "rate_limited",
    violated: violated.map(({ name }) => name),
    rates: rateStatuses(now, units).map((own): RateStatus => {
      const ofAccount = violated.find(({ name }) => name === own.name)?.ofAccount ?? null;
      if (ofAccount === null) return own;
      // A tenant must not learn how much the others use.
      const { limit, fitsAtMs: freesAtMs } = ofAccount;
      return { name: own.name, limit, remaining: 0, freesAtMs };
    }),
    fitsAtMs: Math.max(...violated.map(({ atMs }) => atMs)),
    ...(isOnlyAccounts && { ofAccount: true as const }),
    neurons: neuronBalance(now, bound),
    nowMs: now.nowMs,
  };
}

function reserved(now: AdmissionState, { bound }: Demand): Refusal | null {
  const neurons = neuronBalance(now, bound);
  const refusal = { kind: "quota_reserved", neurons, nowMs: now.nowMs } as const;
  if (monthRefuses(now.month, bound) === "pending") return { ...refusal, policy: MONTHLY };
  const limit = limitInForce(now);
  if (limit !== null && now.posted + heldOf(now) + bound > limit) return refusal;
  const refused = accountRefuses(now, bound);
  return refused?.why === "leased" ? { ...refusal, againAtMs: refused.againAtMs } : null;
}

function concurrency(now: AdmissionState, { bound, inFlightOfBatches }: Demand): Refusal | null {
  const share = shareOf(now.maxInFlight);
  const isShareTaken = inFlightOfBatches !== undefined && inFlightOfBatches >= share;
  if (now.inFlight < now.maxInFlight && !isShareTaken) return null;
  return {
    kind: "concurrency_exceeded",
    limit: isShareTaken ? share : now.maxInFlight,
    neurons: neuronBalance(now, bound),
    nowMs: now.nowMs,
  };
}

const quotaRefusal = (
  kind: QuotaFailure["kind"],
  now: AdmissionState,
  bound: MicroNeurons,
): QuotaFailure => ({ kind, neurons: neuronBalance(now, bound), nowMs: now.nowMs });
