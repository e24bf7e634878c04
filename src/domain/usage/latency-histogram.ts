// How long calls took, as counts in buckets that are the same everywhere: histograms of hours and of
// tenants add up, which quantiles do not. The bounds are whole milliseconds, each a fifth above the
// one before it, so what is read from a bucket is at most a tenth off (in DDSketch's way: VLDB 2019).

/** Longer ones are counted in the last bucket: no call of ours lasts an hour. */
const LONGEST_MS = 3_600_000;

/** `UPPER_MS[k]` is the longest latency of bucket k: 0, 1, 2, … 10, 12, 14, 16, 19, … */
const UPPER_MS: readonly number[] = (() => {
  const bounds = [0];
  for (let bound = 0; bound < LONGEST_MS;) {
    bound = Math.min(LONGEST_MS, Math.max(bound + 1, Math.floor((bound * 12) / 10)));
    bounds.push(bound);
  }
  return bounds;
})();

/** Counts by the number of their bucket; empty buckets are left out: `{ "31": 12, "32": 3 }`. */
export type LatencyHistogram = Readonly<Record<string, number>>;

export const NO_LATENCIES: LatencyHistogram = {};

/** The first bucket whose bound is not below `ms`. */
export function latencyBucket(ms: number): number {
  let low = 0;
  let high = UPPER_MS.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((UPPER_MS[middle] ?? 0) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param ms whole; what a clock that went back made negative counts as 0 */
export function addLatency(histogram: LatencyHistogram, ms: number): LatencyHistogram {
  const bucket = String(latencyBucket(ms));
  return { ...histogram, [bucket]: (histogram[bucket] ?? 0) + 1 };
}

export function mergeLatencies(histograms: Iterable<LatencyHistogram>): LatencyHistogram {
  const merged: Record<string, number> = {};
  for (const histogram of histograms) {
    for (const [bucket, count] of Object.entries(histogram)) {
      merged[bucket] = (merged[bucket] ?? 0) + count;
    }
  }
  return merged;
}

export const latencyCount = (histogram: LatencyHistogram): number =>
  Object.values(histogram).reduce((sum, count) => sum + count, 0);

/** The longest latency that is counted in a bucket. */
export const bucketUpperMs = (bucket: number): number => UPPER_MS[bucket] ?? LONGEST_MS;

/** What all of them took together, at most a tenth off. */
export const totalMs = (histogram: LatencyHistogram): number =>
  Object.entries(histogram).reduce((sum, [at, count]) => sum + middleMs(Number(at)) * count, 0);

/** The harmonic middle of a bucket: equally far, in proportion, from both of its ends. */
function middleMs(bucket: number): number {
  const highest = UPPER_MS[bucket] ?? LONGEST_MS;
  const lowest = bucket === 0 ? 0 : (UPPER_MS[bucket - 1] ?? LONGEST_MS) + 1;
  return highest === 0 ? 0 : Math.round((2 * lowest * highest) / (lowest + highest));
}

/**
 * By nearest rank: the least latency that `share` of the calls did not exceed, in whole
 * milliseconds and at most a tenth off. Null: there was no call.
 *
 * @param share above 0, at most 1: 0.95 for p95
 */
export function latencyQuantile(histogram: LatencyHistogram, share: number): number | null {
  const rank = Math.ceil(share * latencyCount(histogram));
  let seen = 0;
  const buckets = Object.entries(histogram).map(([bucket, count]) => ({
    at: Number(bucket),
    count,
  }));
  for (const { at, count } of buckets.toSorted((a, b) => a.at - b.at)) {
    seen += count;
    if (count > 0 && seen >= rank) return middleMs(at);
  }
  return null;
}
