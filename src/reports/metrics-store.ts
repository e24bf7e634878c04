import { type ModelToday, MOST_NAMED, type TenantToday, type Today } from "../metrics/metrics.ts";
import type { Day } from "../domain/ledger/period.ts";
import { firstHourOf } from "../domain/usage/report-rows.ts";
import { OTHERS } from "../domain/usage/usage-report.ts";

// The sums of one day in the reports. It reads only the rows of that day: 24 hours of each tenant and
// of each model that the tenant used.

const WITHIN = "hour >= ?1 AND hour < ?1 + 24";

/** Sums by name: the largest by themselves, all others as one. */
const largest = (table: string, name: string, weight: string, columns: readonly string[]): string =>
  `WITH sums AS (
      SELECT ${name}, SUM(${weight}) AS weight,
          ${columns.map((column) => `SUM(${column}) AS ${column}`).join(", ")}
        FROM ${table} WHERE ${WITHIN} GROUP BY ${name}),
    ranked AS (SELECT *, ROW_NUMBER() OVER (ORDER BY weight DESC, ${name}) AS place FROM sums)
    SELECT IIF(place <= ${MOST_NAMED}, ${name}, '${OTHERS}') AS name,
        ${columns.map((column) => `SUM(${column}) AS ${column}`).join(", ")}
      FROM ranked GROUP BY 1 ORDER BY MIN(place)`;

const TENANTS = largest("call_hours", "tenant", "quota + granted + overage", [
  "posted",
  "voided",
  "expired",
  "quota",
  "granted",
  "overage",
]);

const MODELS = largest("usage_hours", "model", "micro_neurons", [
  "engine_requests",
  "failed",
  "input_tokens",
  "output_tokens",
  "micro_neurons",
]);

const counts = (column: "refused" | "latency" | "verdicts"): string =>
  `SELECT each.key AS name, SUM(each.value) AS count
    FROM call_hours, json_each(call_hours.${column}) AS each WHERE ${WITHIN} GROUP BY each.key`;

interface Counted {
  readonly name: string;
  readonly count: number;
}

type TenantRow = Omit<TenantToday, "tenant"> & { readonly name: string };

interface ModelRow {
  readonly name: string;
  readonly engine_requests: number;
  readonly failed: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly micro_neurons: number;
}

export async function readToday(database: D1Database, day: Day): Promise<Today> {
  const statements = [
    TENANTS,
    MODELS,
    counts("refused"),
    counts("latency"),
    counts("verdicts"),
  ].map((statement) => database.prepare(statement).bind(firstHourOf(day)));
  const answers = await database.batch(statements);
  const [tenants, models, refused, latency, verdicts] = answers.map(({ results }) => results);
  return {
    tenants: ((tenants ?? []) as TenantRow[]).map(({ name, ...sums }) => ({
      tenant: name,
      ...sums,
    })),
    models: ((models ?? []) as ModelRow[]).map((row): ModelToday => ({
      model: row.name,
      requests: row.engine_requests,
      failed: row.failed,
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      microNeurons: row.micro_neurons,
    })),
    refused: byName(refused),
    latency: byName(latency),
    verdicts: byName(verdicts),
  };
}

const byName = (rows: readonly unknown[] | undefined): Readonly<Record<string, number>> =>
  Object.fromEntries(((rows ?? []) as Counted[]).map(({ name, count }) => [name, count]));
