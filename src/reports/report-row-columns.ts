import type { ReportRowKind } from "../domain/usage/report-rows.ts";

// Which column of D1 holds which field of a row. The key comes first; `tenant` and `life` before it.

/** `json`: kept as text. `flag`: 0 or 1. */
export type ColumnKind = "plain" | "json";

export interface ReportTable {
  readonly name: "usage_hours" | "call_hours" | "user_days" | "moderation_log";
  readonly key: readonly string[];
  readonly columns: readonly (readonly [column: string, field: string, kind: ColumnKind])[];
}

const plain = (column: string): readonly [string, string, ColumnKind] => [
  column,
  column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
  "plain",
];

const json = (column: string): readonly [string, string, ColumnKind] => {
  const [name, field] = plain(column);
  return [name, field, "json"];
};

export const REPORT_TABLES: Readonly<Record<ReportRowKind, ReportTable>> = {
  usage_hour: {
    name: "usage_hours",
    key: ["hour", "model", "engine", "priced_as", "task"],
    columns: [
      ...["hour", "model", "engine", "priced_as", "task", "engine_requests", "failed"].map(plain),
      ...["input_tokens", "output_tokens"].map(plain),
      json("units"),
      ...["micro_neurons", "estimated", "held", "overrun", "settled_after_midnight"].map(plain),
      json("latency"),
      plain("sequence"),
    ],
  },
  call_hour: {
    name: "call_hours",
    key: ["hour"],
    columns: [
      ...["hour", "calls", "posted", "voided", "expired", "failed"].map(plain),
      ...["quota", "granted", "overage"].map(plain),
      json("overage_by_rate"),
      plain("adjusted"),
      json("refused"),
      json("verdicts"),
      json("latency"),
      plain("settled_after_midnight"),
      plain("sequence"),
    ],
  },
  user_day: {
    name: "user_days",
    key: ["day", "slot"],
    columns: ["day", "slot", "user_id", "calls", "micro_neurons", "sequence"].map(plain),
  },
  logged_verdict: {
    name: "moderation_log",
    key: ["verdict_id"],
    columns: [
      ...["verdict_id", "revision", "created_at_ms", "decision", "approved"].map(plain),
      plain("decided_by"),
      json("categories"),
      ...["user_id", "content_id", "policy", "policy_version", "removed"].map(plain),
      ...["expires_at_ms", "sequence"].map(plain),
    ],
  },
};

/** The expression for a field of a row in JSON. A row of before a count was there has none of it. */
export const valueOf = (field: string, kind: ColumnKind): string =>
  kind === "json" ? `IFNULL(value -> '$.${field}', '{}')` : `value ->> '$.${field}'`;
