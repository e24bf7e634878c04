import { encodeTime, incrementBase32, ulid } from "ulid";

// Ids of events are in the order in which they were recorded, so that one of them is a cursor: a
// random ULID would come before another of the same millisecond half of the time.

const TIME_CHARACTERS = 10;
const PREFIX = "evt_";

/** Before every event. */
export const NO_EVENT = "";

/** @param last the latest id that was given, or `NO_EVENT` */
export function nextEventId(last: string, nowMs: number): string {
  const time = encodeTime(nowMs, TIME_CHARACTERS);
  const lastUlid = last.slice(PREFIX.length);
  if (time <= lastUlid.slice(0, TIME_CHARACTERS)) return PREFIX + incrementBase32(lastUlid);
  return PREFIX + ulid(nowMs, random);
}

const random = (): number => (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 256;
