import { type Day, dayOf } from "../ledger/period.ts";

// The Cloudflare account's own allocation of a UTC day is gone: Workers AI said so (3036 or 4006).
// Nobody is admitted until the day ends, but for one call now and then that finds out whether it is
// still so.

/** How long one probe keeps the others out. */
export const PROBE_EVERY_MS = 900_000;

export interface AccountClosure {
  readonly day: Day;
  readonly closedAtMs: number;
  /** From then on one call may probe. */
  readonly probeAtMs: number;
}

/** The closure that holds on a day; null: the day is open. */
export const closureOf = (
  { closure }: { readonly closure: AccountClosure | null },
  day: Day,
): AccountClosure | null => (closure?.day === day ? closure : null);

/**
 * What a call of yesterday learns does not lift the closure of today, and old news closes nothing anew.
 * A day that is closed already is not closed again: `closedAtMs` and `probeAtMs` say when it was last found
 * so, so that no call that was sent before lifts it.
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

/** What a tenant's call learned of the allocation: that it is gone, or that it is there. */
export interface AccountNews {
  readonly kind: "exhausted" | "answered";
  readonly day: Day;
  readonly admittedAtMs: number;
  readonly learnedAtMs: number;
}

/** Of the same call, whenever it learned it. */
export const isSameNews = (a: AccountNews, b: AccountNews | null): boolean =>
  b !== null && a.kind === b.kind && a.day === b.day && a.admittedAtMs === b.admittedAtMs;

/** Old news of an allocation that was found to be there since says nothing. */
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

/** Lifted only by a call that was sent after it was closed, and answered. */
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

/** An admission while the account is closed is the probe of the next quarter of an hour. */
export const probedBy = (closure: AccountClosure | null, nowMs: number): AccountClosure | null =>
  closure === null || closure.day !== dayOf(nowMs)
    ? closure
    : { ...closure, probeAtMs: nowMs + PROBE_EVERY_MS };
