import { hashOf } from "../text/hash.ts";
import { dayOf, type Day, startOf } from "../ledger/period.ts";

// When a tenant's object wakes to delete what is past its retention: once a day at most, and only on
// a day on which something is. Midnight is everybody's: each tenant has a moment of its own in the
// hour after it.

const HOUR_MS = 3_600_000;

/** Milliseconds into the hour, by a hash of the tenant's id. */
export const momentOf = (id: string): number => hashOf(id) % HOUR_MS;

/** The tenant's first moment at which something that is due at `dueMs` is. */
export function purgeTime(id: string, dueMs: number): number {
  const moment = momentOf(id);
  const day: Day = dayOf(dueMs - moment - 1) + 1;
  return startOf(day) + moment;
}
