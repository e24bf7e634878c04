import type { RateClass, RateUnits } from "./rate-limit.ts";

// Batches take at most half of what a tenant may have at once, all of its batches together, so that
// other calls go on beside them. Their share of a rate is a class of its own: a call of a batch takes
// a unit of both, or of neither.

/** The route of a batch, and of each of its calls. */
export const BATCH_ROUTE = "POST /v1/verdicts/batches";

const PREFIX = "batches/";

/** One at least: a batch comes to its end under any limit. */
export const shareOf = (limit: number): number => Math.max(1, Math.floor(limit / 2));

export const isShare = (name: RateClass): boolean => name.startsWith(PREFIX);

/** What a call of a batch takes: its units, and those of the share. */
export const withShare = (units: RateUnits): RateUnits => ({
  ...units,
  ...Object.fromEntries(Object.entries(units).map(([name, taken]) => [PREFIX + name, taken])),
});

/** The limit of a class, or of the share of one. */
export const limitOfClass = (name: RateClass, limitOf: (name: RateClass) => number): number =>
  isShare(name) ? shareOf(limitOf(name.slice(PREFIX.length))) : limitOf(name);
