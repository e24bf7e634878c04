import type { ClassRefusal } from "./account-rates.ts";
import { isShare } from "../ledger/batch-share.ts";
import type { LeaseRefusal } from "./pool-refusal.ts";
import type { MicroNeurons } from "../ledger/micro-neurons.ts";
import { asksNoEngine, type RateClass, type RateUnits } from "../ledger/rate-limit.ts";

// What a tenant has of what all tenants of the account share. A call is admitted only when it is
// covered: by the tenant's allowance of neurons, and by permits of each class that it takes units of.
// What is missing is asked for once every other check has passed; what was refused is remembered.

/** How a tenant stands with the account, as far as its object knows. */
export interface BudgetStatus {
  /** Null: neurons are not shared out. */
  readonly neurons: {
    /** By the tenant's calls of the day, held or charged. */
    readonly used: MicroNeurons;
    /** Of that, what was charged. */
    readonly spent: MicroNeurons;
    /** Of the allowance, and it may be used. */
    readonly left: MicroNeurons;
    /** What is kept for the tenant. */
    readonly floor: MicroNeurons;
    /** The most that one call may hold; null: that was not heard lately. */
    readonly mostHeld: MicroNeurons | null;
    /** What the account did not grant, and how far it could have gone. */
    readonly refused: LeaseRefusal | null;
  } | null;
  readonly rates: (name: RateClass) => {
    /** Permits that may be used. */
    readonly left: number;
    readonly refused: ClassRefusal | null;
  };
  /** The account's day is closed, and it is time for some tenant's call to find out whether it still is. */
  readonly isProbeDue: boolean;
}

/** What a call lacks, to be asked of the account. */
export interface Missing {
  /** The call's bound, where the allowance does not cover it. */
  readonly bound: MicroNeurons | null;
  readonly rates: RateUnits;
  readonly probe: boolean;
}

/** A call that may be admitted once the account was asked. */
export interface NeedsLease {
  readonly kind: "needs_lease";
  readonly missing: Missing;
}

/** A tenant's own counts, and the share of its batches, are nobody else's concern. */
export const isOfAccount = (name: RateClass): boolean => !asksNoEngine(name) && !isShare(name);

/** Null: the call is covered. */
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
 * Why a call that the allowance does not cover is not worth a question, and when it is again.
 * `too_large`: all that is unspent would not do. `leased`: others may give some back.
 */
export interface LocalRefusal {
  readonly why: "spent" | "too_large" | "leased";
  readonly againAtMs: number;
}

/** Null: the allowance covers the call, or it is to be asked for. */
export function refusedLease(
  { neurons }: BudgetStatus,
  bound: MicroNeurons,
  nowMs: number,
): LocalRefusal | null {
  if (neurons === null || bound <= neurons.left) return null;
  const { used, spent, floor, refused } = neurons;
  // So much was to be had.
  if (refused === null || used + bound <= refused.available) return null;
  // Less was not refused; and of its floor a tenant is to have whatever is free.
  if (used + bound < refused.level && used + bound <= floor) return null;
  const why = refused.isSpent
    ? "spent"
    : spent + bound > refused.reachable
      ? "too_large"
      : "leased";
  const againAtMs = why === "too_large" ? refused.tooLargeAgainAtMs : refused.againAtMs;
  return againAtMs <= nowMs ? null : { why, againAtMs };
}
