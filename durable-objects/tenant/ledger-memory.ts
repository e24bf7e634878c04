import { heldOf, limitInForce, type Standing } from "../../src/domain/admission.ts";
import type { CallId, Hold } from "../../src/domain/ledger.ts";
import { ZERO } from "../../src/domain/micro-neurons.ts";
import { monthRefuses } from "../../src/domain/month-quota.ts";
import { type Day, dayOf } from "../../src/domain/period.ts";
import type { RateUnits } from "../../src/domain/rate-limit.ts";
import type { AccountClosure, Meter, Period } from "./ledger-store.ts";

// What the ledger keeps in memory: a cache of storage, rebuilt when the object starts.

export interface LedgerMemory {
  meter: Meter;
  readonly open: Map<CallId, Hold>;
  /** µN held by the open holds of each day: always the sum over `open`. */
  readonly pending: Map<Day, number>;
  readonly periods: Map<Day, Period>;
}

export function ledgerMemory(meter: Meter, holds: readonly Hold[]): LedgerMemory {
  const open = new Map(holds.map((hold) => [hold.callId, hold]));
  const memory: LedgerMemory = { meter, open, pending: new Map(), periods: new Map() };
  for (const hold of holds) addPending(memory, hold.day, hold.held);
  return memory;
}

export function addPending({ pending }: LedgerMemory, day: Day, amount: number): void {
  const total = (pending.get(day) ?? 0) + amount;
  if (total === 0) pending.delete(day);
  else pending.set(day, total);
}

/** When the first of the calls in progress was admitted; now, when there is none. */
export const oldestAdmission = ({ meter, open }: LedgerMemory): number =>
  [...open.values()].reduce((least, hold) => Math.min(least, hold.admittedAtMs), meter.clockMs);

export const oldest = (ids: Iterable<CallId>): CallId | null => {
  let least: CallId | null = null;
  for (const id of ids) if (least === null || id < least) least = id;
  return least;
};

/** How long one probe keeps the others out, while the Cloudflare account's allocation is gone. */
export const PROBE_EVERY_MS = 900_000;

/** An admission while the account is closed is the probe of the next quarter of an hour. */
export const probed = (closure: AccountClosure | null, nowMs: number): AccountClosure | null =>
  closure === null || closure.day !== dayOf(nowMs)
    ? closure
    : { ...closure, probeAtMs: nowMs + PROBE_EVERY_MS };

/** The first and the fourth invariant, looked at again after they were acted upon. */
export function brokenBy(now: Standing, units: RateUnits): readonly string[] {
  const limit = limitInForce(now);
  const isAbove =
    (limit !== null && now.posted + heldOf(now) > limit) || monthRefuses(now.month, ZERO) !== null;
  const isOver = Object.keys(units).some(
    (name) =>
      (now.windows[name] ?? []).reduce((total, [, taken]) => total + taken, 0) >
      now.rateLimit(name),
  );
  return [...(isAbove ? ["admitted_within_limit"] : []), ...(isOver ? ["rate_within_limit"] : [])];
}
