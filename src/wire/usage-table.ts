import type { Cell } from "../http/csv.ts";
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
] as const;

type Row = ReturnType<typeof toUsageRow>;

export function toUsageCells(row: Row): readonly Cell[] {
  const cells = { ...row, ...(row.latency ?? { p50_ms: null, p95_ms: null, p99_ms: null }) };
  return USAGE_COLUMNS.map((column) => {
    const value = cells[column];
    return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
  });
}
