import type { Cell } from "../../http/csv.ts";
import type { toUsageRow } from "./usage.ts";

// The rows of a usage report as a table: what is nested in JSON is spread out or left as JSON.

export const USAGE_COLUMNS = [
  "day",
  "hour",
  "tenant",
  "model",
  "engine",
  "priced_as",
  "task",
  "user_id",
  "calls",
  "engine_requests",
  "failed",
  "success_rate",
  "input_tokens",
  "output_tokens",
  "units",
  "micro_neurons",
  "neurons",
  "estimated_micro_neurons",
  "held_micro_neurons",
  "cost_usd",
  "charge_usd",
  "refused",
  "p50_ms",
  "p95_ms",
  "p99_ms",
  "verdicts",
  "verdict_micro_neurons",
  "reused_verdicts",
  "saved_micro_neurons",
  "spared_stages",
  "spared_at_most_micro_neurons",
  "free_checks",
  "compared_texts",
  "disagreed",
  "key_id",
] as const;

type Row = ReturnType<typeof toUsageRow>;

export function toUsageCells(row: Row): readonly Cell[] {
  const { verdicts } = row;
  const cells = {
    ...row,
    ...(row.latency ?? { p50_ms: null, p95_ms: null, p99_ms: null }),
    verdicts: verdicts?.made ?? null,
    verdict_micro_neurons: verdicts?.micro_neurons ?? null,
    reused_verdicts: verdicts?.reused ?? null,
    saved_micro_neurons: verdicts?.saved_micro_neurons ?? null,
    spared_stages: verdicts?.spared_stages ?? null,
    spared_at_most_micro_neurons: verdicts?.spared_at_most_micro_neurons ?? null,
    free_checks: verdicts?.free_checks ?? null,
    compared_texts: verdicts?.compared ?? null,
    disagreed: verdicts?.disagreed ?? null,
  };
  return USAGE_COLUMNS.map((column) => {
    const value = cells[column];
    return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
  });
}
