import type { DaySums } from "../domain/usage/day-sums.ts";
import { markDays } from "./upkeep-store.ts";
import { REPORT_TABLES, valueOf } from "./report-row-columns.ts";

// Days whose hours are gone, as a tenant's object adds them up, or as they stay of an ended generation.
// A newer day replaces all of a day.

const OF_GENERATION = "tenant = ?1 AND life = ?2";

/** A day that is there already and newer stays. */
const NEWER = `NOT EXISTS (SELECT 1 FROM call_days AS c WHERE c.day = value ->> 'day'
  AND c.tenant = ?1 AND c.life = ?2 AND c.sequence > value ->> 'sequence')`;

/** Part of a transaction that makes sure that these days have no hours. */
export function dayStatements(
  database: D1Database,
  { tenant, generation }: { readonly tenant: string; readonly generation: number },
  days: readonly DaySums[],
  where: string,
): readonly D1PreparedStatement[] {
  if (days.length === 0) return [];
  const usage = days.flatMap((one) => one.usage.map((row) => ({ ...row, day: one.day })));
  const calls = days.map((one) => ({ ...one.calls, day: one.day }));
  const bound = (sql: string, rows: readonly object[]) =>
    database.prepare(sql).bind(tenant, generation, JSON.stringify(rows));
  return [
    markDays(
      database,
      days.map(({ day }) => [day, tenant]),
    ),
    bound(
      `DELETE FROM usage_days WHERE ${OF_GENERATION} AND day IN
        (SELECT value ->> 'day' FROM json_each(?3) WHERE ${NEWER} AND ${where})`,
      calls,
    ),
    bound(insert("usage_hour", "usage_days", `${NEWER} AND ${where}`), usage),
    bound(
      `DELETE FROM call_days WHERE ${OF_GENERATION} AND day IN
        (SELECT value ->> 'day' FROM json_each(?3) WHERE ${NEWER} AND ${where})`,
      calls,
    ),
    bound(insert("call_hour", "call_days", where), calls),
  ];
}

/** The last of its statements: a day that is newer is in its way, and stays. */
function insert(kind: "usage_hour" | "call_hour", name: string, where: string): string {
  const columns = REPORT_TABLES[kind].columns.filter(([column]) => column !== "hour");
  const values = columns.map(([, field, as]) => valueOf(field, as));
  return `INSERT INTO ${name} (tenant, life, day, hours, ${columns.map(([column]) => column).join(", ")})
    SELECT ?1, ?2, value ->> 'day', value ->> 'hours', ${values.join(", ")}
    FROM json_each(?3) WHERE ${where} ON CONFLICT DO NOTHING`;
}
