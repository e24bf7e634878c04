import { type Day, dayOf } from "../ledger/period.ts";

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
