import { type OtherPriceBook, otherUsd } from "../catalogue/other-price-book.ts";
import { countedUsd } from "../ledger/money.ts";

// A report of a period as tables: use by model, costs by service, two periods or two models side by side,
// the same use at another provider's prices. It reads the replies of the API. What is not known is null.

/** A row of `/admin/usage?group_by=model`, or of a tenant's `/usage`. */
export interface ModelRow {
  readonly model: string | null;
  readonly engine: string | null;
  readonly task: string | null;
  /** The model whose prices were charged, if a server's own name or a stand-in is not it. */
  readonly priced_as: string | null;
  readonly engine_requests: number | null;
  readonly success_rate: number | null;
  readonly units: Readonly<Record<string, number>>;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly micro_neurons: number;
  readonly latency: { readonly p50_ms: number | null; readonly p95_ms: number | null } | null;
}

export interface ReportTotals {
  readonly calls: number;
  readonly success_rate: number | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly micro_neurons: number;
  readonly adjusted_micro_neurons: number;
  readonly cost_usd: string;
  readonly latency: { readonly p50_ms: number | null; readonly p95_ms: number | null };
}

interface ServiceSum {
  readonly cost_usd: string | null;
  readonly basis: string;
  readonly unknown: readonly string[];
}

/** Workflow executions of one kind that ended. */
export interface ExecutionSums {
  readonly executions: number;
  readonly completed: number;
  readonly steps: number;
  readonly duration_ms: number;
  readonly micro_neurons: number;
}

export interface PipelineSums extends ExecutionSums {
  readonly documents_succeeded: number;
  readonly documents_failed: number;
}

export interface DocumentSums {
  readonly documents: number;
  readonly services: Readonly<Record<string, ServiceSum>>;
}

export interface Period {
  readonly from: string;
  readonly to: string;
  readonly tenant: string | null;
  readonly models: readonly ModelRow[];
  readonly totals: ReportTotals;
  readonly services: Readonly<Record<string, ServiceSum>>;
  readonly documents: DocumentSums;
  readonly executions: { readonly pipelines: PipelineSums; readonly batches: ExecutionSums };
}

export type ReportCell = string | number | null;

export interface ReportTable {
  readonly title: string;
  readonly note: string | null;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ReportCell[])[];
}

const MICRO_PER_1000_NEURONS = 1_000_000_000;

/** At Cloudflare's rate, exact. */
const neuronsUsd = (microNeurons: number): string =>
  countedUsd([{ count: BigInt(microNeurons), usd: "0.011", per: MICRO_PER_1000_NEURONS }]);

const rounded = (value: number, places: number): number =>
  Math.round(value * 10 ** places) / 10 ** places;

const share = (part: number, all: number, places: number): number | null =>
  all === 0 ? null : rounded(part / all, places);

const percent = (rate: number | null): string | null =>
  rate === null ? null : `${rounded(rate * 100, 2)} %`;

/** Eight decimals: a call costs some millionths of a dollar. */
const per1000 = (usd: string | null, count: number): number | null =>
  usd === null ? null : share(Number(usd) * 1000, count, 8);

/** All tables of one period. */
export const reportTables = (period: Period): readonly ReportTable[] => [
  totalsTable(period),
  modelsTable(period.models),
  servicesTable(period),
  executionsTable(period.executions),
  documentsTable(period.documents),
];

const metricsOf = ({ totals, services }: Period): readonly (readonly [string, ReportCell])[] => [
  ["Calls", totals.calls],
  ["Success rate", percent(totals.success_rate)],
  ["Tokens in", totals.input_tokens],
  ["Tokens out", totals.output_tokens],
  ["Micro-neurons", totals.micro_neurons - totals.adjusted_micro_neurons],
  ["Cost of what ran, USD", totals.cost_usd],
  ["Cost per 1,000 calls, USD", per1000(totals.cost_usd, totals.calls)],
  ["Latency p50, ms", totals.latency.p50_ms],
  ["Latency p95, ms", totals.latency.p95_ms],
  ["Cost by Cloudflare's prices, USD", knownSum(services)],
];

/** The services of which something is known. */
const knownSum = (services: Period["services"]): number =>
  rounded(
    Object.values(services).reduce((sum, { cost_usd }) => sum + Number(cost_usd ?? 0), 0),
    12,
  );

const totalsTable = (period: Period): ReportTable => ({
  title: "Total",
  note: null,
  columns: ["Figure", `${period.from} to ${period.to}`],
  rows: metricsOf(period),
});

const MODEL_COLUMNS = [
  "Model",
  "Engine",
  "Task",
  "Priced as",
  "Inferences",
  "Success rate",
  "Tokens in, average",
  "Tokens out, average",
  "Latency p50, ms",
  "Latency p95, ms",
  "Micro-neurons",
  "Cost, USD",
  "Per 1,000, USD",
] as const;

function modelCells(row: ModelRow): readonly ReportCell[] {
  const requests = row.engine_requests ?? 0;
  const usd = neuronsUsd(row.micro_neurons);
  return [
    row.model,
    row.engine,
    row.task,
    row.priced_as,
    row.engine_requests,
    percent(row.success_rate),
    row.input_tokens === null ? null : share(row.input_tokens, requests, 1),
    row.output_tokens === null ? null : share(row.output_tokens, requests, 1),
    row.latency?.p50_ms ?? null,
    row.latency?.p95_ms ?? null,
    row.micro_neurons,
    usd,
    per1000(usd, requests),
  ];
}

const modelsTable = (models: readonly ModelRow[]): ReportTable => ({
  title: "Models",
  note: "The latency is that of the calls in which the model took part. Costs are before adjustments.",
  columns: MODEL_COLUMNS,
  rows: models.map(modelCells),
});

function servicesTable({ services, totals }: Period): ReportTable {
  const all = knownSum(services);
  return {
    title: "Costs by service",
    note: "List prices, before what the account's plan includes. The shares are of what is known.",
    columns: ["Service", "Cost, USD", "Share", "Per 1,000 calls, USD", "Basis", "Unknown"],
    rows: Object.entries(services).map(([service, { cost_usd: usd, basis, unknown }]) => [
      service,
      usd,
      usd === null ? null : percent(share(Number(usd), all, 6)),
      per1000(usd, totals.calls),
      basis,
      unknown.join(", "),
    ]),
  };
}

const executionFigures = (sums: ExecutionSums): readonly (readonly [string, ReportCell])[] => [
  ["Executions", sums.executions],
  ["Completed", percent(share(sums.completed, sums.executions, 6))],
  ["Steps", sums.steps],
  ["Average duration, ms", share(sums.duration_ms, sums.executions, 0)],
  ["Micro-neurons", sums.micro_neurons],
  ["Cost, USD", neuronsUsd(sums.micro_neurons)],
];

function executionsTable({ pipelines, batches }: Period["executions"]): ReportTable {
  const beside = executionFigures(batches);
  return {
    title: "Workflow executions",
    note: "Those that ended. A run is completed when each document has an outcome, so also if all failed. The cost is that of their calls, which the models above contain too.",
    columns: ["Figure", "Pipelines", "Batches of verdicts"],
    rows: [
      ...executionFigures(pipelines).map(([name, value], at): readonly ReportCell[] => [
        name,
        value,
        beside[at]?.[1] ?? null,
      ]),
      ["Documents succeeded", pipelines.documents_succeeded, null],
      ["Documents failed", pipelines.documents_failed, null],
    ],
  };
}

function documentsTable({ documents, services }: DocumentSums): ReportTable {
  const all = knownSum(services);
  const rows = Object.entries(services).map(
    ([service, { cost_usd: usd, basis, unknown }]): readonly ReportCell[] => [
      service,
      per1000(usd, documents),
      usd === null ? null : percent(share(Number(usd), all, 6)),
      usd,
      basis,
      unknown.join(", "),
    ],
  );
  const sum = ["All that is known", per1000(String(all), documents), percent(1), all, null, null];
  return {
    title: "Cost per 1,000 documents",
    note:
      documents === 0
        ? "No documents in this period."
        : `Documents: ${documents}. The models (ai) are what their calls were charged; the rest is list prices. The shares are of what is known.`,
    columns: ["Service", "Per 1,000 documents, USD", "Share", "Cost, USD", "Basis", "Unknown"],
    rows: documents === 0 ? [] : [...rows, sum],
  };
}

/** The reported period and the one it is compared with: the change is from the latter, which comes first. */
export const comparedPeriods = (reported: Period, before: Period): ReportTable => ({
  title: "Two periods",
  note: null,
  columns: [
    "Figure",
    `${before.from} to ${before.to}`,
    `${reported.from} to ${reported.to}`,
    "Change",
  ],
  rows: sideBySide(metricsOf(before), metricsOf(reported)),
});

/** Whether a row is of the model, or was charged by its prices. */
const isOf = (name: string, { model, priced_as: pricedAs }: ModelRow): boolean =>
  model === name || pricedAs === name;

/** Two models side by side, each with all of its tasks and engines; a model without use has nulls. */
export function comparedModels(period: Period, one: string, other: string): ReportTable {
  const figures = (name: string) => modelFigures(period.models.filter((row) => isOf(name, row)));
  return {
    title: "Two models",
    note: "Latencies are those of the row with the most inferences.",
    columns: ["Figure", one, other, "Change"],
    rows: sideBySide(figures(one), figures(other)),
  };
}

function modelFigures(rows: readonly ModelRow[]): readonly (readonly [string, ReportCell])[] {
  const sum = (of: (row: ModelRow) => number | null): number =>
    rows.reduce((all, row) => all + (of(row) ?? 0), 0);
  const requests = sum((row) => row.engine_requests);
  const failed = sum((row) => (1 - (row.success_rate ?? 1)) * (row.engine_requests ?? 0));
  const microNeurons = sum((row) => row.micro_neurons);
  const [largest] = rows.toSorted((a, b) => (b.engine_requests ?? 0) - (a.engine_requests ?? 0));
  return [
    ["Inferences", requests],
    ["Success rate", percent(share(requests - failed, requests, 6))],
    [
      "Tokens in, average",
      share(
        sum((row) => row.input_tokens),
        requests,
        1,
      ),
    ],
    [
      "Tokens out, average",
      share(
        sum((row) => row.output_tokens),
        requests,
        1,
      ),
    ],
    ["Latency p50, ms", largest?.latency?.p50_ms ?? null],
    ["Latency p95, ms", largest?.latency?.p95_ms ?? null],
    ["Micro-neurons", microNeurons],
    ["Cost, USD", neuronsUsd(microNeurons)],
    ["Per 1,000, USD", per1000(neuronsUsd(microNeurons), requests)],
  ];
}

const sideBySide = (
  one: readonly (readonly [string, ReportCell])[],
  other: readonly (readonly [string, ReportCell])[],
): readonly (readonly ReportCell[])[] =>
  one.map(([name, value], at) => {
    const beside = other[at]?.[1] ?? null;
    return [name, value, beside, changeOf(value, beside)];
  });

/** From the one to the other; null: one of them is null, no number, or 0. */
function changeOf(from: ReportCell, to: ReportCell): string | null {
  if (from === null || to === null) return null;
  const [a, b] = [from, to].map((value) => Number.parseFloat(String(value)));
  if (a === undefined || b === undefined || a === 0 || Number.isNaN(a + b)) return null;
  const change = rounded(((b - a) / a) * 100, 1);
  return `${change > 0 ? "+" : ""}${change} %`;
}

/** The same use at another provider's prices. */
export function atOtherPrices(period: Period, book: OtherPriceBook): ReportTable {
  return {
    title: `The same use at ${book.name}`,
    note: `Prices of ${book.date}, from ${book.source}. Models and units that the file does not price are null.`,
    columns: ["Model", "There", "Inferences", "Here, USD", "There, USD", "Change"],
    rows: period.models.map((row) => {
      const { model, engine_requests: requests, micro_neurons: amount, units } = row;
      const here = neuronsUsd(amount);
      const named = Object.keys(book.models).find((name) => name === model);
      const name = named ?? Object.keys(book.models).find((one) => isOf(one, row));
      const there = name === undefined ? null : otherUsd(book, name, units);
      const as = name === undefined ? null : book.models[name]?.as;
      return [model, as ?? null, requests, here, there, changeOf(here, there)];
    }),
  };
}

/** A cell of a table must not end it, nor be markup. */
const cellText = (cell: ReportCell): string =>
  cell === null
    ? "null"
    : String(cell)
        .replaceAll(/[\\`*_[\]<>|]/g, "\\$&")
        .replaceAll(/\s+/g, " ");

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;

/** A section: a heading, its note, its table. */
export function toMarkdown({ title, note, columns, rows }: ReportTable): string {
  const head = `## ${cellText(title)}\n\n${note === null ? "" : `${note}\n\n`}`;
  if (rows.length === 0)
    return columns.length === 0 || note !== null ? head : `${head}Nothing.\n\n`;
  const table = [
    line(columns.map(cellText)),
    line(columns.map(() => "---")),
    ...rows.map((cells) => line(cells.map(cellText))),
  ];
  return `${head}${table.join("")}\n`;
}
