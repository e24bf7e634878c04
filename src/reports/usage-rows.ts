import type { Fields, SumOf } from "../domain/usage/usage-sum.ts";
import {
  NO_ENGINES,
  REPORTED_CALLS,
  REPORTED_ENGINES,
  type UsageGroup,
  type UsageKey,
} from "../domain/usage/usage-report.ts";
import { columnOf } from "./report-row-columns.ts";

// Makes the groups of a report from the rows of sums that the database returns.

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
    keyId: null,
  };
}

/**
 * @param columns the names of the key's columns
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
      engines: engine === undefined ? NO_ENGINES : toSum(REPORTED_ENGINES, engine, parts),
      calls: ofCalls ? toSum(REPORTED_CALLS, row, parts) : null,
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

/** A column for each number of the sum; of counts and amounts by name a part for each name. */
const toSum = <Some extends Fields>(
  fields: Some,
  row: Row,
  parts: readonly Row[],
): SumOf<Some, bigint> => {
  const values = { count: number, amount: big };
  const byName = { counts: Number, amounts: BigInt };
  return Object.fromEntries(
    Object.entries(fields).map(([field, kind]) => {
      const column = columnOf(field);
      return kind === "counts" || kind === "amounts"
        ? [field, partOf<number | bigint>(parts, column, byName[kind])]
        : [field, values[kind](row[column])];
    }),
  ) as SumOf<Some, bigint>;
};
