import type { RateClass, RateUnits } from "./rate-limit.ts";

// Batches take at most half of what a tenant may have at once, all of its batches together, so that
// other calls go on beside them. Their share of a rate is a class of its own: a call of a batch takes
// a unit of both, or of neither. Keys of role `score`, which anybody may read in a page, have a third
// of the rates in the same way.

/** The route of a batch, and of each of its calls. */
export const BATCH_ROUTE = "POST /v1/verdicts/batches";

const PREFIX = "batches/";
const SCORE_PREFIX = "score_keys/";

/** One at least: a batch comes to its end under any limit. */
export const shareOf = (limit: number): number => Math.max(1, Math.floor(limit / 2));

/** What all keys of role `score` have together. One at least, as above. */
const scoreShareOf = (limit: number): number => Math.max(1, Math.floor(limit / 3));

export const isShare = (name: RateClass): boolean =>
  name.startsWith(PREFIX) || name.startsWith(SCORE_PREFIX);

/** What a call of a batch takes: its units, and those of the share. */
export const withShare = (units: RateUnits): RateUnits => withShareUnder(PREFIX, units);

/** The same of a call by a key of role `score`. */
export const withScoreShare = (units: RateUnits): RateUnits => withShareUnder(SCORE_PREFIX, units);

const withShareUnder = (prefix: string, units: RateUnits): RateUnits => ({
  ...units,
  ...Object.fromEntries(Object.entries(units).map(([name, taken]) => [prefix + name, taken])),
});

/** The limit of a class, or of the share of one. */
export const limitOfClass = (name: RateClass, limitOf: (name: RateClass) => number): number =>
  name.startsWith(PREFIX)
    ? shareOf(limitOf(name.slice(PREFIX.length)))
    : name.startsWith(SCORE_PREFIX)
      ? scoreShareOf(limitOf(name.slice(SCORE_PREFIX.length)))
      : limitOf(name);
