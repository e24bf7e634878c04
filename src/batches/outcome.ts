import { ENDING, OF_THE_DAY, PASSING } from "../domain/moderation/batch.ts";

// What the failure of a governed call means for the work of many calls that it is a part of.

export type Meaning =
  /** It is tried again later. */
  | { readonly kind: "wait"; readonly ms: number }
  /** All other calls would be refused as well. */
  | { readonly kind: "stop"; readonly as: string; readonly ofTheDay: boolean }
  /** It is this call's own failure; `isUnclear`: whether it was charged is not known. */
  | { readonly kind: "own"; readonly isUnclear: boolean };

/** The outcome is not known yet: the run throws this, and its step runs again. */
export class Unclear extends Error {}

/** The wait when the failure does not name one. */
const SOON_MS = 1000;

export interface CallFailure {
  readonly kind: string;
  /** Of `rate_limited`: when the same call would fit. */
  readonly fitsAtMs?: number;
  readonly nowMs?: number;
}

export function meaningOf(failure: CallFailure): Meaning {
  if (isOne(PASSING, failure)) return { kind: "wait", ms: waitMs(failure) };
  if (isOne(OF_THE_DAY, failure)) return { kind: "stop", as: failure.kind, ofTheDay: true };
  if (isOne(ENDING, failure)) return { kind: "stop", as: failure.kind, ofTheDay: false };
  return { kind: "own", isUnclear: isOne(UNCLEAR, failure) };
}

const UNCLEAR = ["unavailable", "settlement_unavailable"] as const;

const isOne = (kinds: readonly string[], { kind }: CallFailure): boolean => kinds.includes(kind);

/** As in its `Retry-After`. */
const waitMs = ({ fitsAtMs, nowMs }: CallFailure): number =>
  fitsAtMs === undefined || nowMs === undefined ? SOON_MS : Math.max(SOON_MS, fitsAtMs - nowMs);
