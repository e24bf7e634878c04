import { isResource, type Resource } from "../domain/catalogue/platform-prices.ts";
import type { Day } from "../domain/ledger/period.ts";

// Cloudflare's own counts of the account's resources, by day.

const UPSERT = `INSERT INTO resource_days (day, resource, count, read_at_ms)
  SELECT ?1, value ->> 0, CAST(value ->> 1 AS INTEGER), ?3 FROM json_each(?2) WHERE true
  ON CONFLICT (day, resource) DO UPDATE SET count = excluded.count, read_at_ms = excluded.read_at_ms`;

/**
 * Keeps the counts of a day. A count that is missing this time stays as it was.
 *
 * @throws when the database does not answer
 */
export async function keepResourceDay(
  database: D1Database,
  {
    day,
    counts,
    atMs,
  }: { readonly day: Day; readonly counts: ReadonlyMap<Resource, bigint>; readonly atMs: number },
): Promise<void> {
  if (counts.size === 0) return;
  const rows = [...counts].map(([resource, count]) => [resource, String(count)]);
  await database.prepare(UPSERT).bind(day, JSON.stringify(rows), atMs).run();
}

/**
 * @param to included
 * @throws when the database does not answer
 */
export async function readResourceDays(
  database: D1Database,
  { from, to }: { readonly from: Day; readonly to: Day },
): Promise<ReadonlyMap<Day, ReadonlyMap<Resource, bigint>>> {
  const { results } = await database
    .prepare(
      `SELECT day, resource, CAST(count AS TEXT) AS count FROM resource_days
        WHERE day >= ? AND day <= ?`,
    )
    .bind(from, to)
    .all<{ day: number; resource: string; count: string }>();
  const days = new Map<Day, Map<Resource, bigint>>();
  for (const { day, resource, count } of results) {
    if (!isResource(resource)) continue;
    const counts = days.get(day) ?? new Map<Resource, bigint>();
    counts.set(resource, BigInt(count));
    days.set(day, counts);
  }
  return days;
}
