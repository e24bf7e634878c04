import type { DayFigures, EngineDay } from "../domain/usage/cost-day.ts";
import { plain, type UsageScope } from "./usage-columns.ts";
import { Rows } from "./usage-query-store.ts";
import { big, number, type Row } from "./usage-rows.ts";
import type { Column, Reach } from "./usage-source-store.ts";

// What the reports say of each day's costs: engines by name, calls, and the rows that they made.

const DAY: Column = ["day", "{day}"];
const HOURS: Column = ["hours", "{hours}"];

const ENGINES: readonly Column[] = [
  ...plain(["engine_requests", "micro_neurons", "overrun"]),
  ["uncertain", "t.estimated + t.held"],
  ["pictures", "IIF(t.task = 'text_to_image', t.engine_requests, 0)"],
  HOURS,
];

const CALLS: readonly Column[] = [...plain(["calls"]), HOURS];

/** The engine of answers that were given again. */
const CACHE = "cache";

/**
 * Every day of the range, in order, also those without a row.
 *
 * @throws when the database does not answer
 */
export async function readCostDays(
  database: D1Database,
  { from, to, tenant }: UsageScope,
): Promise<readonly DayFigures[]> {
  const reach: Reach = {
    from,
    to,
    hours: null,
    tenants:
      tenant === null ? { kind: "all", byTenant: false } : { kind: "named", names: [tenant] },
  };
  const results = await database.batch<Row>([
    new Rows("usage", reach, [DAY, ["engine", "t.engine"]]).sums(database, ENGINES),
    new Rows("calls", reach, [DAY]).sums(database, CALLS),
    new Rows("calls", reach, [DAY]).parts(database, ["refused", "work"]),
  ]);
  const [ran, called, counted] = results.map(({ results: rows }) =>
    Map.groupBy(rows, (row) => number(row["day"])),
  );
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => {
    const day = from + at;
    return figuresOf(day, {
      ran: ran?.get(day) ?? [],
      called: called?.get(day) ?? [],
      counted: counted?.get(day) ?? [],
    });
  });
}

interface RowsOfDay {
  readonly ran: readonly Row[];
  readonly called: readonly Row[];
  /** Counts by name. */
  readonly counted: readonly Row[];
}

const sumOf = (rows: readonly Row[], column: string): number =>
  rows.reduce((sum, row) => sum + number(row[column]), 0);

const partOf = (rows: readonly Row[], part: "refused" | "work"): readonly Row[] =>
  rows.filter((row) => row["part"] === part);

const figuresOf = (day: number, { ran, called, counted }: RowsOfDay): DayFigures => ({
  day,
  engines: new Map(ran.map((row) => [String(row["engine"]), engineOf(row)])),
  platform: {
    calls: sumOf(called, "calls"),
    refused: sumOf(partOf(counted, "refused"), "sum"),
    cached: sumOf(
      ran.filter((row) => row["engine"] === CACHE),
      "engine_requests",
    ),
    pictures: sumOf(ran, "pictures"),
    reportRows: sumOf(ran, "hours") + sumOf(called, "hours"),
    work: Object.fromEntries(
      partOf(counted, "work").map((row) => [String(row["name"]), big(row["sum"])]),
    ),
  },
});

const engineOf = (row: Row): EngineDay => ({
  requests: number(row["engine_requests"]),
  microNeurons: big(row["micro_neurons"]),
  uncertain: big(row["uncertain"]),
  overrun: big(row["overrun"]),
});
