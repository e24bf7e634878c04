import type { Stop, Wait } from "./run.ts";

// What the failure of a governed call means for the run that made it.

/** Refusals that end by themselves; the call is made again. */
export const PASSING = [
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
  "idempotency_in_progress",
] as const;

/** Refusals that last until the end of the day. They stop a run, or it waits for the next day. */
const OF_THE_DAY = ["quota_exceeded", "overage_cap_exceeded", "account_quota_exceeded"] as const;

/** The key may no longer call, or nothing can be stored: all other calls would be refused too. */
const ENDING = ["invalid_key", "tenant_suspended", "role_required", "storage_full"] as const;

/** Whether the call was charged is not known. */
const UNCLEAR = ["unavailable", "settlement_unavailable"] as const;

export type Meaning =
  /** It is made again later. */
  | Wait
  /** All other calls would be refused as well. */
  | Stop
  /** It is this call's own failure. */
  | {
      readonly kind: "own";
      /** Its kind, as the run counts it. */
      readonly as: string;
      /** Whether it may have been charged. If it was, its hold expired or its failure has a line. */
      readonly mayBeCharged: boolean;
    };

/** The outcome is not known yet: the Workflow's step throws this, and runs again. */
export class Unclear extends Error {}

/** The wait when the failure does not name one. */
const SOON_MS = 1000;

export interface CallFailure {
  readonly kind: string;
  /** Of `rate_limited`: when the same call would fit. */
  readonly fitsAtMs?: number;
  /** Of `quota_reserved`: when the account may have neurons again that other tenants hold now. */
  readonly againAtMs?: number;
  readonly nowMs?: number;
  /** Of `engine_busy`: how long the engine asks to wait. */
  readonly retryAfterMs?: number;
  /** Of `engine_failed`: the engine refused the call, and would refuse a repeat. */
  readonly refused?: true;
}

export function meaningOf(failure: CallFailure): Meaning {
  const { kind } = failure;
  if (isOne(PASSING, kind)) return { kind: "wait", ms: waitMs(failure) };
  if (isOne(OF_THE_DAY, kind)) return { kind: "stop", as: kind, ofTheDay: true };
  if (isOne(ENDING, kind)) return { kind: "stop", as: kind, ofTheDay: false };
  // A call whose outcome is unclear and that has a charge: its hold expired.
  if (isOne(UNCLEAR, kind)) return { kind: "own", as: "expired", mayBeCharged: true };
  return { kind: "own", as: kind, mayBeCharged: kind === "internal" };
}

const isOne = (kinds: readonly string[], kind: string): boolean => kinds.includes(kind);

/** As in its `Retry-After`. */
const waitMs = ({ fitsAtMs, againAtMs = fitsAtMs, nowMs }: CallFailure): number =>
  againAtMs === undefined || nowMs === undefined ? SOON_MS : Math.max(SOON_MS, againAtMs - nowMs);
