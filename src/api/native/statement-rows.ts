import type { Cell } from "../../http/csv.ts";
import type { StatementBody } from "./statement.ts";

// A statement as lines of one kind each, for tables and streams: what models used, what was drawn
// beyond quota and grants, what was given back, each day's sums, and the total at the end.

export interface StatementRow {
  readonly object: "statement_line";
  readonly line: "usage" | "overage" | "adjustment" | "day" | "total";
  readonly tenant: string;
  readonly month: string;
  /** Null for the total. */
  readonly day: string | null;
  readonly model: string | null;
  readonly engine: string | null;
  readonly priced_as: string | null;
  readonly task: string | null;
  readonly engine_requests: number | null;
  readonly calls: number | null;
  readonly micro_neurons: number;
  readonly quota_micro_neurons: number | null;
  readonly granted_micro_neurons: number | null;
  readonly overage_micro_neurons: number | null;
  readonly adjusted_micro_neurons: number | null;
  readonly usd_per_1000_neurons: string | null;
  readonly cost_usd: string | null;
  readonly charge_usd: string | null;
  readonly total_usd: string | null;
  readonly journal_line_id: string | null;
  readonly adjusts: string | null;
  readonly reason: string | null;
  readonly adds_up: boolean | null;
}

export const STATEMENT_COLUMNS = [
  "line",
  "tenant",
  "month",
  "day",
  "model",
  "engine",
  "priced_as",
  "task",
  "engine_requests",
  "calls",
  "micro_neurons",
  "quota_micro_neurons",
  "granted_micro_neurons",
  "overage_micro_neurons",
  "adjusted_micro_neurons",
  "usd_per_1000_neurons",
  "cost_usd",
  "charge_usd",
  "total_usd",
  "journal_line_id",
  "adjusts",
  "reason",
  "adds_up",
] as const satisfies readonly (keyof StatementRow)[];

export const toStatementCells = (row: StatementRow): readonly Cell[] =>
  STATEMENT_COLUMNS.map((column) => row[column]);

export function statementRows(statement: StatementBody): readonly StatementRow[] {
  const { tenant, month } = statement;
  const row = (
    line: StatementRow["line"],
    fields: Partial<StatementRow> & Pick<StatementRow, "micro_neurons">,
  ): StatementRow => ({ ...EMPTY, line, tenant, month, ...fields });
  const adjusted = Map.groupBy(statement.adjustments, ({ day }) => day);
  const days = statement.days.flatMap(({ lines, ...day }) => [
    ...lines.map((used) =>
      row("usage", {
        day: day.day,
        model: used.model,
        engine: used.engine,
        priced_as: used.priced_as,
        task: used.task,
        engine_requests: used.engine_requests,
        micro_neurons: used.micro_neurons,
        cost_usd: used.cost_usd,
      }),
    ),
    ...day.overage.map((overage) => row("overage", { day: day.day, ...overage })),
    ...(adjusted.get(day.day) ?? []).map((made) =>
      row("adjustment", {
        day: day.day,
        journal_line_id: made.id,
        adjusts: made.adjusts,
        reason: made.reason,
        micro_neurons: made.micro_neurons,
      }),
    ),
    row("day", { day: day.day, ...sumsOf(day) }),
  ]);
  const { totals } = statement;
  return [...days, row("total", { ...sumsOf(totals), total_usd: totals.total_usd })];
}

const sumsOf = (sums: Omit<StatementBody["totals"], "total_usd">) => ({
  calls: sums.calls,
  micro_neurons: sums.micro_neurons,
  quota_micro_neurons: sums.quota_micro_neurons,
  granted_micro_neurons: sums.granted_micro_neurons,
  overage_micro_neurons: sums.overage_micro_neurons,
  adjusted_micro_neurons: sums.adjusted_micro_neurons,
  cost_usd: sums.cost_usd,
  charge_usd: sums.charge_usd,
  adds_up: sums.adds_up,
});

const EMPTY: StatementRow = {
  object: "statement_line",
  line: "total",
  tenant: "",
  month: "",
  day: null,
  model: null,
  engine: null,
  priced_as: null,
  task: null,
  engine_requests: null,
  calls: null,
  micro_neurons: 0,
  quota_micro_neurons: null,
  granted_micro_neurons: null,
  overage_micro_neurons: null,
  adjusted_micro_neurons: null,
  usd_per_1000_neurons: null,
  cost_usd: null,
  charge_usd: null,
  total_usd: null,
  journal_line_id: null,
  adjusts: null,
  reason: null,
  adds_up: null,
};
