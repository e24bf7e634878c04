import type { RateClass, RateUnits } from "./rate-limit.ts";

// All batches of a tenant together take at most half of its concurrency and rates, so that other calls can
// run beside them. Their share of a rate is a class of its own: a call of a batch takes a unit of both
// classes, or of neither. Keys of role `score`, which may be public in a page, get a third of the rates in
// the same way.

/** The route of a batch and of each of its calls. */
export const BATCH_ROUTE = "POST /v1/verdicts/batches";

const PREFIX = "batches/";
const SCORE_PREFIX = "score_keys/";

/** At least one, so that a batch finishes under any limit. */
export const shareOf = (limit: number): number => Math.max(1, Math.floor(limit / 2));

/** The share of all keys of role `score` together. At least one, as above. */
const scoreShareOf = (limit: number): number => Math.max(1, Math.floor(limit / 3));

export const isShare = (name: RateClass): boolean =>
  name.startsWith(PREFIX) || name.startsWith(SCORE_PREFIX);

/** The units of a call of a batch, in its classes and in the share. */
export const withShare = (units: RateUnits): RateUnits => withShareUnder(PREFIX, units);

/** The same for a call by a key of role `score`. */
export const withScoreShare = (units: RateUnits): RateUnits => withShareUnder(SCORE_PREFIX, units);

const withShareUnder = (prefix: string, units: RateUnits): RateUnits => ({
  ...units,
  ...Object.fromEntries(Object.entries(units).map(([name, taken]) => [prefix + name, taken])),
});

/** The limit of a class, or of a share of a class. */
export const limitOfClass = (name: RateClass, limitOf: (name: RateClass) => number): number =>
  name.startsWith(PREFIX)
    ? shareOf(limitOf(name.slice(PREFIX.length)))
    : name.startsWith(SCORE_PREFIX)
      ? scoreShareOf(limitOf(name.slice(SCORE_PREFIX.length)))
      : limitOf(name);
