import { readFile } from "node:fs/promises";

// Cloudflare's prices for the platform's work in a call, from the product's price book. The ledger has the
// cost of the models.

const { version, sources, resources } = JSON.parse(
  await readFile(
    new URL("../src/domain/catalogue/cloudflare-prices-2026-11.json", import.meta.url),
    "utf8",
  ),
);

/**
 * Units of a call, the resources of the price book that they are, and how many units of the book one of
 * them is: a millisecond is a thousand microseconds, a gigabyte-second a thousand megabyte-seconds.
 */
const UNITS = {
  worker_requests: ["workers_requests", 1],
  worker_cpu_ms: ["workers_cpu", 1000],
  object_requests: ["object_requests", 1],
  object_gb_s: ["object_duration", 1000],
  rows_read: ["object_rows_read", 1],
  rows_written: ["object_rows_written", 1],
};

const MILLION = 1_000_000;

const byUnit = (valueOf) =>
  Object.fromEntries(
    Object.entries(UNITS)
      .map(([unit, [resource, parts]]) => [unit, valueOf(resources[resource], parts)])
      .filter(([, value]) => value !== null),
  );

export const PRICES = {
  version,
  source: sources,
  /** USD per million, beyond what the plan includes. */
  paid: byUnit(({ usd, per }, parts) => (Number(usd) * parts * MILLION) / per),
  /** Limits a day, after which the platform refuses. */
  free: byUnit(({ free }, parts) => (free === null ? null : free.amount / parts)),
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
