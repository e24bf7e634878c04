import { decodeTime, encodeTime } from "ulid";
import { nearestTime } from "../src/domain/ledger/period.ts";

// Ids begin with the time at which the router drew them, so a range of times is a range of the primary
// key. The router's clock differs from the object's. So the range is widened by a margin, and the exact
// time is compared on the rows in it.

/** Far more than the difference of two clocks of one network, and than a call's wait for admission. */
const MARGIN_MS = 600_000;

const TIME_CHARACTERS = 10;

/** Sorts after every id. */
export const AFTER_ALL_IDS = "~";

/** The beginning of ids drawn at a time. Never throws: a time outside of ids becomes the nearest one. */
export const idTime = (utcMs: number): string => encodeTime(nearestTime(utcMs), TIME_CHARACTERS);

export const lastIdBefore = (prefix: string, utcMs: number): string =>
  `${prefix}_${idTime(utcMs - MARGIN_MS)}`;

export const firstIdAfter = (prefix: string, utcMs: number): string =>
  `${prefix}_${idTime(utcMs + MARGIN_MS)}`;

/** The UTC day on which an id was drawn; -1: the text is not an id. */
export function dayOfId(id: string): number {
  const time = id.slice(id.indexOf("_") + 1, id.indexOf("_") + 1 + TIME_CHARACTERS);
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{9}$/.test(time)) return -1;
  return Math.floor(decodeTime(time.padEnd(26, "0")) / 86_400_000);
}

/** A range of ids with `prefix` that holds all those drawn in the same calls as `ids` (in any order). */
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

/** When an id was drawn, in ms; null: the text is not an id. */
export function timeOfId(id: string): number | null {
  try {
    return decodeTime(id.slice(id.indexOf("_") + 1));
  } catch {
    return null;
  }
}
