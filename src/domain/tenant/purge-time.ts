import { hashOf } from "../text/hash.ts";
import { dayOf, type Day, startOf } from "../ledger/period.ts";

// When a tenant's object wakes to delete data after its retention: at most once a day, and only on days with
// something to delete. Not all tenants wake at midnight: each has its own moment in the hour after it.

const HOUR_MS = 3_600_000;

/** Milliseconds into the hour, by a hash of the tenant's id. */
export const momentOf = (id: string): number => hashOf(id) % HOUR_MS;

/** The tenant's first moment at or after `dueMs`. */
export function purgeTime(id: string, dueMs: number): number {
  const moment = momentOf(id);
  const day: Day = dayOf(dueMs - moment - 1) + 1;
  return startOf(day) + moment;
}
