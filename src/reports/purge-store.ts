import type { Day } from "../domain/ledger/period.ts";
import type { Hour, ReportRowKind } from "../domain/usage/report-rows.ts";
import { REPORT_TABLES } from "./report-row-columns.ts";

// What goes with time, a bounded number of rows in a step.

/** What is to go before when, by table. */
export interface Outdated {
  readonly hours: Hour;
  /** Sums of hours. */
  readonly hourSums: Hour;
  readonly days: Day;
  readonly userDays: Day;
  readonly expiredAtMs: number;
  readonly endedAtMs: number;
}

/** A table, the key of its rows, and which of them are past their time, in the order of an index. */
interface Purged {
  readonly name: string;
  readonly key: readonly string[];
  readonly where: string;
  readonly limit: (outdated: Outdated) => number;
}

const reportTable = (kind: ReportRowKind, where: string, limit: Purged["limit"]): Purged => {
  const { name, key } = REPORT_TABLES[kind];
  return { name, key: ["tenant", "life", ...key], where, limit };
};

const dayTable = (name: string, key: readonly string[]): Purged => ({
  name,
  key: ["day", ...key],
  where: "day < ?1",
  limit: ({ days }) => days,
});

const hourTable = (name: string, key: readonly string[] = []): Purged => ({
  name,
  key: ["hour", ...key],
  where: "hour < ?1",
  limit: ({ hourSums }) => hourSums,
});

const MODEL = ["model", "engine", "priced_as", "task"];

export const PURGED: readonly Purged[] = [
  reportTable("user_day", "day < ?1", ({ userDays }) => userDays),
  reportTable("usage_hour", "hour < ?1", ({ hours }) => hours),
  reportTable("call_hour", "hour < ?1", ({ hours }) => hours),
  reportTable("logged_verdict", "expires_at_ms < ?1", ({ expiredAtMs }) => expiredAtMs),
  dayTable("usage_days", ["tenant", "life", ...MODEL]),
  dayTable("call_days", ["tenant", "life"]),
  dayTable("usage_sums", MODEL),
  dayTable("call_sums", []),
  dayTable("marked_days", ["tenant"]),
  hourTable("usage_hour_sums", MODEL),
  hourTable("call_hour_sums"),
  hourTable("marked_hours"),
  {
    name: "ended_lives",
    key: ["tenant", "life"],
    where: "ended_at_ms < ?1",
    limit: ({ endedAtMs }) => endedAtMs,
  },
];

/**
 * Deletes what is past its time, at most `limit` rows of each of these tables.
 *
 * @returns the tables of which there may be more
 */
export async function purgeRows(
  database: D1Database,
  tables: readonly Purged[],
  { outdated, limit }: { readonly outdated: Outdated; readonly limit: number },
): Promise<readonly Purged[]> {
  const gone = await database.batch(
    tables.map(({ name, key, where, ...table }) =>
      database.prepare(limitedDelete(name, key, { where, limit })).bind(table.limit(outdated)),
    ),
  );
  return tables.filter((_, at) => (gone[at]?.meta.changes ?? 0) >= limit);
}

/** SQLite here deletes no limited number of rows by itself. Limits and names are ours. */
export function limitedDelete(
  name: string,
  key: readonly string[],
  { where, limit }: { readonly where: string; readonly limit: number },
): string {
  const columns = key.join(", ");
  return `DELETE FROM ${name} WHERE (${columns}) IN
    (SELECT ${columns} FROM ${name} WHERE ${where} LIMIT ${limit})`;
}
