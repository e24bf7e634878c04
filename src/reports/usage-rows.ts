import {
  type CallSums,
  type EngineSums,
  NO_ENGINES,
  type UsageGroup,
  type UsageKey,
} from "../domain/usage/usage-sums.ts";

// Rows of sums, as the database answers, as the groups of a report.

export type Row = Readonly<Record<string, string | number | null>>;

export const number = (value: string | number | null | undefined): number => Number(value ?? 0);
export const big = (value: string | number | null | undefined): bigint => BigInt(value ?? 0);

export function keyOf(row: Row): UsageKey {
  const text = (name: string) => (row[name] === undefined ? null : String(row[name]));
  const whole = (name: string) => (row[name] === undefined ? null : Number(row[name]));
  const user = text("user_id");
  return {
    day: whole("day"),
    hour: whole("hour"),
    tenant: text("tenant"),
    model: text("model"),
    engine: text("engine"),
    pricedAs: text("priced_as"),
    task: text("task"),
    user: user === "" ? null : user,
  };
}

/**
 * @param columns the names of the key's
 * @param rows sums of engines and the parts of their JSON, then the same of calls
 */
export function toGroups(
  columns: readonly string[],
  rows: readonly (readonly Row[])[],
  ofCalls: boolean,
): readonly UsageGroup[] {
  const id = (row: Row): string => JSON.stringify(columns.map((name) => row[name]));
  const [engines = [], engineParts = [], calls = [], callParts = []] = rows;
  const byId = new Map(engines.map((row) => [id(row), row]));
  const partsOf = (parts: readonly Row[]) => Map.groupBy(parts, id);
  const [ofEngines, ofEachCall] = [partsOf(engineParts), partsOf(callParts)];
  return (ofCalls ? calls : engines).map((row): UsageGroup => {
    const engine = byId.get(id(row));
    const parts = [...(ofEngines.get(id(row)) ?? []), ...(ofEachCall.get(id(row)) ?? [])];
    return {
      key: keyOf(row),
      engines: engine === undefined ? NO_ENGINES : toEngines(engine, parts),
      calls: ofCalls ? toCalls(row, parts) : null,
      user: null,
      latency: partOf(parts, "latency", Number),
    };
  });
}

const partOf = <Value>(
  parts: readonly Row[],
  part: string,
  value: (text: string) => Value,
): Readonly<Record<string, Value>> =>
  Object.fromEntries(
    parts
      .filter((row) => row["part"] === part)
      .map((row) => [String(row["name"]), value(String(row["sum"]))]),
  );

const toEngines = (row: Row, parts: readonly Row[]): EngineSums => ({
  engineRequests: number(row["engine_requests"]),
  failed: number(row["failed"]),
  units: partOf(parts, "units", Number),
  microNeurons: big(row["micro_neurons"]),
  estimated: big(row["estimated"]),
  held: big(row["held"]),
  overrun: big(row["overrun"]),
});

const toCalls = (row: Row, parts: readonly Row[]): CallSums => ({
  calls: number(row["calls"]),
  voided: number(row["voided"]),
  expired: number(row["expired"]),
  failed: number(row["failed"]),
  quota: big(row["quota"]),
  granted: big(row["granted"]),
  overage: big(row["overage"]),
  adjusted: big(row["adjusted"]),
  overageByRate: partOf(parts, "overage_by_rate", BigInt),
  refused: partOf(parts, "refused", Number),
  verdicts: partOf(parts, "verdicts", BigInt),
});
