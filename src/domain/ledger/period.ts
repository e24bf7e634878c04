// A period is a UTC day. It is computed, never started by a timer: a reset is a new row.

const DAY_MS = 86_400_000;

/** The last millisecond of the year 9999: RFC 3339 has years of four digits. */
const LAST_MS = 253_402_300_799_999;

/** Whether a time is valid in this service: from 1970, where ids begin, to 9999. */
export const isTime = (utcMs: number): boolean => utcMs >= 0 && utcMs <= LAST_MS;

/** The nearest time that an id can contain: a bound of a range may lie outside by a margin. */
export const nearestTime = (utcMs: number): number => Math.min(Math.max(0, utcMs), LAST_MS);

/** The number of a UTC day: `floor(utcMs / 86_400_000)`. */
export type Day = number;

export const dayOf = (utcMs: number): Day => Math.floor(utcMs / DAY_MS);

export const startOf = (day: Day): number => day * DAY_MS;

/** When the quota of `day` starts anew: 00:00 UTC of the day after. */
export const endOf = (day: Day): number => (day + 1) * DAY_MS;

/** The days of a calendar month of UTC. */
export interface Month {
  readonly first: Day;
  /** The first day of the next one. */
  readonly end: Day;
}

/** The month in which a day lies. */
export function monthOf(day: Day): Month {
  const date = new Date(startOf(day));
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { first: dayOf(Date.UTC(year, month, 1)), end: dayOf(Date.UTC(year, month + 1, 1)) };
}

/** `"2026-11"`. */
export const formatMonth = ({ first }: Month): string => formatDay(first).slice(0, 7);

/** RFC 3339, UTC, milliseconds: `"2026-11-20T14:03:27.412Z"`. */
export const isoTime = (utcMs: number): string => new Date(utcMs).toISOString();

export const isoTimeOrNull = (utcMs: number | null): string | null =>
  utcMs === null ? null : isoTime(utcMs);

/** `20777` is `"2026-11-20"`. */
export const formatDay = (day: Day): string => isoTime(startOf(day)).slice(0, 10);

/** The inverse of `formatDay`; null for anything that is not a real day. */
export function parseDay(text: string): Day | null {
  const utcMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00.000Z`) : Number.NaN;
  return Number.isNaN(utcMs) || isoTime(utcMs).slice(0, 10) !== text ? null : dayOf(utcMs);
}

/** The first day of the month of `day`. */
export const monthStart = (day: Day): Day => day - (new Date(startOf(day)).getUTCDate() - 1);
