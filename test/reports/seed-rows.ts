import { env } from "cloudflare:workers";
import type {
  CallHour,
  LoggedVerdict,
  UsageHour,
  UserDay,
} from "../../src/domain/usage/report-rows.ts";

// Rows of the reports, written as they are: what feeds them is shown elsewhere.

export interface Owner {
  readonly tenant: string;
  readonly generation: number;
}

type Values = readonly (string | number | null)[];

/** In batches: a local database takes a while for each. */
async function insert(table: string, rows: readonly Values[]): Promise<void> {
  const marks = (rows[0] ?? []).map(() => "?").join(", ");
  const statement = env.REPORTS.prepare(`INSERT INTO ${table} VALUES (${marks})`);
  if (rows.length > 0) await env.REPORTS.batch(rows.map((values) => statement.bind(...values)));
}

export const seedUsageHours = (rows: readonly (Owner & UsageHour)[]): Promise<void> =>
  insert(
    "usage_hours",
    rows.map((row) => [
      row.tenant,
      row.generation,
      row.hour,
      row.model,
      row.engine,
      row.pricedAs,
      row.task,
      row.engineRequests,
      row.failed,
      row.inputTokens,
      row.outputTokens,
      JSON.stringify(row.units),
      row.microNeurons,
      row.estimated,
      row.held,
      row.overrun,
      row.settledAfterMidnight,
      JSON.stringify(row.latency),
      row.sequence,
    ]),
  );

const CALL_COLUMNS = `tenant, life, hour, calls, posted, voided, expired, failed, quota, granted,
  overage, overage_by_rate, adjusted, refused, latency, settled_after_midnight, sequence`;

/** An older database has no columns for these: rows without them go there too. */
export function seedCallHours(rows: readonly (Owner & CallHour)[]): Promise<void> {
  const later = (["verdicts", "work"] as const).filter((name) =>
    rows.some((row) => row[name] !== undefined),
  );
  return insert(
    `call_hours (${[CALL_COLUMNS, ...later].join(", ")})`,
    rows.map((row) => [
      row.tenant,
      row.generation,
      row.hour,
      row.calls,
      row.posted,
      row.voided,
      row.expired,
      row.failed,
      row.quota,
      row.granted,
      row.overage,
      JSON.stringify(row.overageByRate),
      row.adjusted,
      JSON.stringify(row.refused),
      JSON.stringify(row.latency),
      row.settledAfterMidnight,
      row.sequence,
      ...later.map((name) => JSON.stringify(row[name] ?? {})),
    ]),
  );
}

export const seedUserDays = (rows: readonly (Owner & UserDay)[]): Promise<void> =>
  insert(
    "user_days",
    rows.map((row) => [
      row.tenant,
      row.generation,
      row.day,
      row.slot,
      row.userId,
      row.calls,
      row.microNeurons,
      row.sequence,
    ]),
  );

export const seedLog = (rows: readonly (Owner & LoggedVerdict)[]): Promise<void> =>
  insert(
    "moderation_log",
    rows.map((row) => [
      row.tenant,
      row.generation,
      row.verdictId,
      row.revision,
      row.createdAtMs,
      row.decision,
      row.approved ? 1 : 0,
      row.decidedBy,
      JSON.stringify(row.categories),
      row.userId,
      row.contentId,
      row.policy,
      row.policyVersion,
      row.removed ? 1 : 0,
      row.expiresAtMs,
      row.sequence,
    ]),
  );

export const A_USAGE_HOUR: UsageHour = {
  hour: 0,
  model: "@cf/meta/llama-3.1-8b-instruct-fp8",
  engine: "workers-ai",
  pricedAs: "@cf/meta/llama-3.1-8b-instruct-fp8",
  task: "text_generation",
  engineRequests: 1,
  failed: 0,
  inputTokens: 0,
  outputTokens: 0,
  units: {},
  microNeurons: 0,
  estimated: 0,
  held: 0,
  overrun: 0,
  settledAfterMidnight: 0,
  latency: {},
  sequence: 1,
};

export const A_CALL_HOUR: CallHour = {
  hour: 0,
  calls: 1,
  posted: 1,
  voided: 0,
  expired: 0,
  failed: 0,
  quota: 0,
  granted: 0,
  overage: 0,
  overageByRate: {},
  adjusted: 0,
  refused: {},
  latency: {},
  settledAfterMidnight: 0,
  sequence: 1,
};
