import type { ClassRefusal } from "./account-rates.ts";
import { isShare } from "./batch-share.ts";
import type { LeaseRefusal } from "./lease.ts";
import type { MicroNeurons } from "./micro-neurons.ts";
import { asksNoEngine, type RateClass, type RateUnits } from "./rate-limit.ts";

// What a tenant has of what all tenants of the account share. A call is admitted only when it is
// covered: by the tenant's allowance of neurons, and by tickets of each class that it takes units of.
// What is missing is asked for once every other check has passed; what was refused is remembered.

/** How a tenant stands with the account, as far as its object knows. */
export interface AccountStanding {
  /** Null: neurons are not shared out. */
  readonly neurons: {
    /** By the tenant's calls of the day, held or charged. */
    readonly used: MicroNeurons;
    /** Of the allowance, and it may be used. */
    readonly left: MicroNeurons;
    /** What is kept for the tenant. */
    readonly floor: MicroNeurons;
    /** Not worth asking again before `againAtMs`. */
    readonly refused: LeaseRefusal | null;
  } | null;
  readonly rates: (name: RateClass) => {
    /** Tickets that may be used. */
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
export interface Uncovered {
  readonly kind: "uncovered";
  readonly missing: Missing;
}

/** A tenant's own counts, and the share of its batches, are nobody else's concern. */
export const isOfAccount = (name: RateClass): boolean => !asksNoEngine(name) && !isShare(name);

/** Null: the call is covered. */
export function missingOf(
  account: AccountStanding | undefined,
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
