import type { MicroNeurons } from "../ledger/micro-neurons.ts";
import { type Day, dayOf } from "../ledger/period.ts";
import { asksNoEngine, isShare, type RateClass, type RateUnits } from "../ledger/rate-limit.ts";
import type { ClassRefusal } from "./account-rates.ts";
import type { LeaseRefusal } from "./pool-refusal.ts";

// A tenant's part of what all tenants of the account share. A call is admitted only when the tenant's
// allowance of neurons covers it, and the tenant has permits of each class that it takes units of. Missing
// amounts are asked of the account after all other checks have passed; refusals are remembered.

/** The tenant's part, as far as its object knows it. */
export interface BudgetStatus {
  /** Null: neurons are not shared. */
  readonly neurons: {
    /** Held for or charged to the tenant's calls of the day. */
    readonly used: MicroNeurons;
    /** The charged part of `used`. */
    readonly spent: MicroNeurons;
    /** The part of the allowance that may still be used. */
    readonly left: MicroNeurons;
    /** The amount that is reserved for the tenant. */
    readonly floor: MicroNeurons;
    /** The most that one call may hold; null: no recent value is known. */
    readonly mostHeld: MicroNeurons | null;
    /** The last lease that the account refused, with the amounts that it could have granted. */
    readonly refused: LeaseRefusal | null;
  } | null;
  readonly rates: (name: RateClass) => {
    /** Permits that may still be used. */
    readonly left: number;
    readonly refused: ClassRefusal | null;
  };
  /** The account's day is closed, and one call may now find out whether it still is. */
  readonly isProbeDue: boolean;
}

/** The amounts that a call lacks and the account must be asked for. */
export interface Missing {
  /** The call's bound; null when the allowance covers it. */
  readonly bound: MicroNeurons | null;
  readonly rates: RateUnits;
  readonly probe: boolean;
}

/** A call that may be admitted after the account was asked. */
export interface NeedsLease {
  readonly kind: "needs_lease";
  readonly missing: Missing;
}

/**
 * The classes that count only a tenant's own calls, and the shares of batches, do not concern the account.
 */
export const isOfAccount = (name: RateClass): boolean => !asksNoEngine(name) && !isShare(name);

/** Null: nothing is missing. */
export function missingOf(
  account: BudgetStatus | undefined,
  { bound, units }: { readonly bound: MicroNeurons; readonly units: RateUnits },
): Missing | null {
  if (account === undefined) return null;
  const { neurons, isProbeDue } = account;
  const isShort = neurons !== null && bound > neurons.left;
  const rates = Object.fromEntries(
    Object.entries(units)
      .filter(([name]) => isOfAccount(name))
      .map(([name, count]) => [name, count - account.rates(name).left])
      .filter(([, missing]) => Number(missing) > 0),
  ) as RateUnits;
  if (!isShort && !isProbeDue && Object.keys(rates).length === 0) return null;
  return { bound: isShort ? bound : null, rates, probe: isProbeDue };
}

/**
 * Why the account need not be asked for a call that the allowance does not cover, and when it may be asked
 * again. `too_large`: the call needs more than all that is unspent. `leased`: other tenants may give some
 * back.
 */
export interface LocalRefusal {
  readonly why: "spent" | "too_large" | "leased";
  readonly againAtMs: number;
}

/** Null: the allowance covers the call, or the account must be asked. */
export function refusedLease(
  { neurons }: BudgetStatus,
  bound: MicroNeurons,
  nowMs: number,
): LocalRefusal | null {
  if (neurons === null || bound <= neurons.left) return null;
  const { used, spent, floor, refused } = neurons;
  // The account could grant this much.
  if (refused === null || used + bound <= refused.available) return null;
  // A smaller amount than the refused one, and within the floor: a tenant gets any free part of its floor.
  if (used + bound < refused.level && used + bound <= floor) return null;
  const why = refused.isSpent
    ? "spent"
    : spent + bound > refused.reachable
      ? "too_large"
      : "leased";
  const againAtMs = why === "too_large" ? refused.tooLargeAgainAtMs : refused.againAtMs;
  return againAtMs <= nowMs ? null : { why, againAtMs };
}

// A closure: the Cloudflare account's own allocation of a UTC day is used up, as Workers AI reported (3036 or
// 4006). No call is admitted until the day ends, except a probe now and then that finds out whether this is
// still true.

/** How long after a probe no other call may probe. */
export const PROBE_EVERY_MS = 900_000;

export interface AccountClosure {
  readonly day: Day;
  readonly closedAtMs: number;
  /** From then on, one call may probe. */
  readonly probeAtMs: number;
}

/** The closure of a day; null: the day is open. */
export const closureOf = (
  { closure }: { readonly closure: AccountClosure | null },
  day: Day,
): AccountClosure | null => (closure?.day === day ? closure : null);

/**
 * News of a call of yesterday does not replace today's closure, and old news does not close again. Newer news
 * of a closed day only moves `closedAtMs` and `probeAtMs`, so that no call that was sent before can lift the
 * closure.
 */
export function closed(
  before: AccountClosure | null,
  day: Day,
  learnedAtMs: number,
): AccountClosure {
  const known = before !== null && before.day === day ? before : null;
  if (before !== null && before.day > day) return before;
  if (known !== null && learnedAtMs <= known.closedAtMs) return known;
  const probeAtMs = Math.max(learnedAtMs + PROBE_EVERY_MS, known?.probeAtMs ?? 0);
  return { day, closedAtMs: learnedAtMs, probeAtMs };
}

/** News of the allocation from a tenant's call: it is used up, or it is not. */
export interface AccountNews {
  readonly kind: "exhausted" | "answered";
  readonly day: Day;
  readonly admittedAtMs: number;
  readonly learnedAtMs: number;
}

/** Whether two news are of the same call, whenever it learned them. */
export const isSameNews = (a: AccountNews, b: AccountNews | null): boolean =>
  b !== null && a.kind === b.kind && a.day === b.day && a.admittedAtMs === b.admittedAtMs;

/** Old news of a used-up allocation is ignored when a later call was answered. */
export function learnClosure(
  before: { readonly closure: AccountClosure | null; readonly liftedAtMs: number },
  { kind, day, admittedAtMs, learnedAtMs }: AccountNews,
  nowMs: number,
): { readonly closure: AccountClosure | null; readonly liftedAtMs: number } {
  const { closure, liftedAtMs } = before;
  if (kind === "exhausted") {
    return admittedAtMs < liftedAtMs
      ? before
      : { closure: closed(closure, day, Math.min(learnedAtMs, nowMs)), liftedAtMs };
  }
  return closure !== null && closure.day === day && isLiftedBy(closure, admittedAtMs)
    ? { closure: null, liftedAtMs: admittedAtMs }
    : before;
}

/** Only a call that was sent after the closure, and answered, lifts it. */
export const isLiftedBy = (closure: AccountClosure, admittedAtMs: number): boolean =>
  admittedAtMs > closure.closedAtMs;

/** Whether a call may probe now, and the closure after that. */
export const probe = (
  closure: AccountClosure,
  nowMs: number,
): { readonly allowed: boolean; readonly closure: AccountClosure } =>
  nowMs < closure.probeAtMs
    ? { allowed: false, closure }
    : { allowed: true, closure: { ...closure, probeAtMs: nowMs + PROBE_EVERY_MS } };

/**
 * A call that is admitted while the account is closed is the probe: the next one may follow after
 * `PROBE_EVERY_MS`.
 */
export const probedBy = (closure: AccountClosure | null, nowMs: number): AccountClosure | null =>
  closure === null || closure.day !== dayOf(nowMs)
    ? closure
    : { ...closure, probeAtMs: nowMs + PROBE_EVERY_MS };
