import { decodeTime, encodeTime } from "ulid";
import { nearestTime } from "../src/domain/ledger/period.ts";

// Ids begin with the time at which the router drew them, so a range of times is a range of the
// primary key. The router's clock is not the object's: the range is widened by a margin, and the
// exact time is compared on the rows within.

/** Far more than two clocks of one network differ, and than a call may wait to be admitted. */
const MARGIN_MS = 600_000;

const TIME_CHARACTERS = 10;

/** Sorts after every id. */
export const AFTER_ALL_IDS = "~";

/** How an id begins that was drawn then. Never throws: a time that no id can hold is the nearest. */
export const idTime = (utcMs: number): string => encodeTime(nearestTime(utcMs), TIME_CHARACTERS);

export const lastIdBefore = (prefix: string, utcMs: number): string =>
  `${prefix}_${idTime(utcMs - MARGIN_MS)}`;

export const firstIdAfter = (prefix: string, utcMs: number): string =>
  `${prefix}_${idTime(utcMs + MARGIN_MS)}`;

/** The day in which an id was drawn; -1: it is none. */
export function dayOfId(id: string): number {
  const time = id.slice(id.indexOf("_") + 1, id.indexOf("_") + 1 + TIME_CHARACTERS);
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{9}$/.test(time)) return -1;
  return Math.floor(decodeTime(time.padEnd(26, "0")) / 86_400_000);
}

/** Ids of another kind that were drawn in the same calls as these, in no order: a range that has them. */
export function rangeAround(
  prefix: string,
  ids: readonly string[],
): { readonly from: string; readonly before: string } {
  const times = ids.map(timeOfId);
  if (times.includes(null)) return { from: "", before: AFTER_ALL_IDS };
  const drawnMs = times.filter((time) => time !== null);
  return {
    from: lastIdBefore(prefix, Math.min(...drawnMs)),
    before: firstIdAfter(prefix, Math.max(...drawnMs)),
  };
}

/** When an id was drawn; null: it is none. */
export function timeOfId(id: string): number | null {
  try {
    return decodeTime(id.slice(id.indexOf("_") + 1));
  } catch {
    return null;
  }
}
