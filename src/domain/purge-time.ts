import { dayOf, type Day, startOf } from "./period.ts";

// When a tenant's object wakes to delete what is past its retention: once a day at most, and only on
// a day on which something is. Midnight is everybody's: each tenant has a moment of its own in the
// hour after it.

const HOUR_MS = 3_600_000;

/** Milliseconds into the hour, by a hash of the tenant's id (FNV-1a). */
export function momentOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % HOUR_MS;
}

/** The tenant's first moment at which something that is due at `dueMs` is. */
export function purgeTime(id: string, dueMs: number): number {
  const moment = momentOf(id);
  const day: Day = dayOf(dueMs - moment - 1) + 1;
  return startOf(day) + moment;
}
