import { env } from "cloudflare:workers";
import { parseDay } from "../../src/domain/ledger/period.ts";
import { firstHourOf } from "../../src/domain/usage/report-rows.ts";

// Rows of the read model as the feed would have written them.

export interface SeededHour {
  readonly date: string;
  readonly hour?: number;
  readonly tenant?: string;
  readonly model: string;
  readonly engine?: string;
  readonly requests?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly microNeurons: number;
  readonly estimated?: number;
  readonly held?: number;
  readonly overrun?: number;
  readonly settledAfterMidnight?: number;
}

const hourOf = (date: string, hour = 12): number => firstHourOf(parseDay(date) ?? 0) + hour;

export async function seedUsage(...hours: readonly SeededHour[]): Promise<void> {
  const insert = env.REPORTS.prepare(
    `INSERT INTO usage_hours (tenant, life, hour, model, engine, priced_as, task, engine_requests,
      failed, input_tokens, output_tokens, units, micro_neurons, estimated, held, overrun,
      settled_after_midnight, latency, sequence)
      VALUES (?, 1, ?, ?, ?, ?, 'text_generation', ?, 0, ?, ?, '{}', ?, ?, ?, ?, ?, '{}', 1)`,
  );
  await env.REPORTS.batch(
    hours.map((row) =>
      insert.bind(
        row.tenant ?? "acme",
        hourOf(row.date, row.hour),
        row.model,
        row.engine ?? "workers-ai",
        row.model,
        row.requests ?? 1,
        row.inputTokens ?? 0,
        row.outputTokens ?? 0,
        row.microNeurons,
        row.estimated ?? 0,
        row.held ?? 0,
        row.overrun ?? 0,
        row.settledAfterMidnight ?? 0,
      ),
    ),
  );
}

export interface SeededCalls {
  readonly date: string;
  readonly hour?: number;
  readonly tenant?: string;
  readonly posted?: number;
  readonly voided?: number;
  readonly expired?: number;
  readonly quota?: number;
  readonly granted?: number;
  readonly overage?: number;
  readonly overageByRate?: Readonly<Record<string, number>>;
  readonly refused?: Readonly<Record<string, number>>;
  readonly latency?: Readonly<Record<string, number>>;
  readonly verdicts?: Readonly<Record<string, number>>;
}

export async function seedCalls(...hours: readonly SeededCalls[]): Promise<void> {
  const insert = env.REPORTS.prepare(
    `INSERT INTO call_hours (tenant, life, hour, calls, posted, voided, expired, failed, quota,
      granted, overage, overage_by_rate, adjusted, refused, latency, verdicts, settled_after_midnight, sequence)
      VALUES (?, 1, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, ?, ?, ?, 0, 1)`,
  );
  await env.REPORTS.batch(
    hours.map((row) => {
      const { posted = 0, voided = 0, expired = 0 } = row;
      return insert.bind(
        row.tenant ?? "acme",
        hourOf(row.date, row.hour),
        posted + voided + expired,
        posted,
        voided,
        expired,
        row.quota ?? 0,
        row.granted ?? 0,
        row.overage ?? 0,
        JSON.stringify(row.overageByRate ?? {}),
        JSON.stringify(row.refused ?? {}),
        JSON.stringify(row.latency ?? {}),
        JSON.stringify(row.verdicts ?? {}),
      );
    }),
  );
}
