import type { Day } from "../domain/ledger/period.ts";
import { USER_FIELDS } from "../domain/usage/usage-sum.ts";
import {
  type GroupKey,
  REPORTED_CALLS,
  REPORTED_ENGINES,
  type UsageGroup,
} from "../domain/usage/usage-report.ts";
import { amountColumns, countColumns } from "./report-row-columns.ts";
import type { Column, Kind } from "./usage-source-store.ts";

// The columns that rows of usage are grouped by, and those that are added up.

export interface UsageScope {
  /** Included. */
  readonly from: Day;
  /** Not included. */
  readonly to: Day;
  /** Null: all tenants. */
  readonly tenant: string | null;
}

/** The key of a row, a value for each of its columns. The next page begins behind it. */
export type Place = readonly (string | number)[];

/** The columns of a key, and their expressions of a row. */
const COLUMNS: Readonly<Record<GroupKey, readonly Column[]>> = {
  day: [["day", "{day}"]],
  hour: [["hour", "t.hour"]],
  tenant: [["tenant", "t.tenant"]],
  model: [
    ["model", "t.model"],
    ["engine", "t.engine"],
    ["priced_as", "t.priced_as"],
    ["task", "t.task"],
  ],
  task: [["task", "t.task"]],
  user: [["user_id", "t.user_id"]],
  // Only a tenant's own object knows its keys: no report over tenants is grouped by them.
  key: [],
};

/** Each column once: `task` too, where rows are grouped by model and task. */
export const columnsOf = (groupBy: readonly GroupKey[]): readonly Column[] => [
  ...new Map(groupBy.flatMap((key) => COLUMNS[key])),
];

export const namesOf = (columns: readonly Column[]): readonly string[] =>
  columns.map(([name]) => name);

/** Which of the key's columns are numbers. */
const NUMBERED: readonly string[] = ["day", "hour"];

/** Whether a place is the key of a row with this grouping, in this range of days. */
export function isPlaceOf(
  place: readonly unknown[],
  groupBy: readonly GroupKey[],
  { from, to }: UsageScope,
): place is Place {
  const names = namesOf(columnsOf(groupBy));
  const isWithin = (value: unknown, name: string): boolean => {
    if (!NUMBERED.includes(name)) return typeof value === "string";
    const day = name === "day" ? Number(value) : Math.floor(Number(value) / 24);
    return Number.isSafeInteger(value) && day >= from && day < to;
  };
  return (
    place.length === names.length && place.every((value, at) => isWithin(value, names[at] ?? ""))
  );
}

/** Rows are of calls, unless a call may be in several of them, or they are of users. */
const isOfCalls = (groupBy: readonly GroupKey[]): boolean =>
  !groupBy.some((key) => key === "model" || key === "task" || key === "user");

export const kindOf = (groupBy: readonly GroupKey[]): Kind => {
  if (groupBy.includes("user")) return "users";
  return isOfCalls(groupBy) ? "calls" : "usage";
};

/** Columns that are added up without an expression. */
export const plain = (names: readonly string[]): readonly Column[] =>
  names.map((name) => [name, `t.${name}`]);

export const AMOUNTS: Readonly<Record<Kind, readonly Column[]>> = {
  usage: plain(amountColumns(REPORTED_ENGINES)),
  calls: plain(amountColumns(REPORTED_CALLS)),
  users: plain(amountColumns(USER_FIELDS)),
};

/** Columns of counts by name, as JSON. */
export const CALL_COUNTS: readonly string[] = [...countColumns(REPORTED_CALLS), "latency"];

export const placeOf = ({ key }: UsageGroup, groupBy: readonly GroupKey[]): Place =>
  namesOf(columnsOf(groupBy)).map((name) => {
    const fields = { ...key, priced_as: key.pricedAs, user_id: key.user ?? "" };
    return fields[name as keyof typeof fields] ?? "";
  });
