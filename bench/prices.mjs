// Cloudflare's prices for the platform's work in a call. The ledger has the cost of the models.

/** Change the version with any price. */
export const PRICES = {
  version: "2026-09",
  source: [
    "developers.cloudflare.com/workers/platform/pricing",
    "developers.cloudflare.com/durable-objects/platform/pricing",
  ],
  /** USD per million, beyond what the plan includes. */
  paid: {
    worker_requests: 0.3,
    worker_cpu_ms: 0.02,
    object_requests: 0.15,
    object_gb_s: 12.5,
    rows_read: 0.001,
    rows_written: 1,
  },
  /** Limits a day, after which the platform refuses. */
  free: {
    worker_requests: 100_000,
    object_requests: 100_000,
    object_gb_s: 13_000,
    rows_read: 5_000_000,
    rows_written: 100_000,
  },
};

/** An object is billed as 128 MB for as long as it is in use. */
const OBJECT_GB = 0.128;

/**
 * The most expensive use of an object: calls so far apart that none shares its time. Each keeps the object
 * in use from the admission to the end of the settle.
 */
const ALONE_S = 0.5;

/** The use of one governed call in the charged units. */
export const unitsOf = ({ cpuMs, objectCalls, rowsRead, rowsWritten }) => ({
  worker_requests: 1,
  worker_cpu_ms: cpuMs,
  object_requests: objectCalls,
  object_gb_s: OBJECT_GB * ALONE_S,
  rows_read: rowsRead,
  rows_written: rowsWritten,
});

/** USD per million calls on Workers Paid, by unit, without the plan's included amounts. */
export function paidUsdPerMillion(units) {
  const parts = Object.fromEntries(
    Object.entries(PRICES.paid).map(([name, usd]) => [name, usd * units[name]]),
  );
  return { ...parts, total: Object.values(parts).reduce((sum, usd) => sum + usd, 0) };
}

/** The calls a day on Workers Free, which costs nothing, and the limit that ends them. */
export function freeCallsPerDay(units) {
  const [[limit, calls]] = Object.entries(PRICES.free)
    .map(([name, most]) => [name, Math.floor(most / units[name])])
    .toSorted(([, a], [, b]) => a - b);
  return { calls, limit };
}
