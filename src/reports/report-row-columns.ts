import type { ReportRowKind } from "../domain/usage/report-rows.ts";
import {
  CALL_FIELDS,
  ENGINE_FIELDS,
  type Fields,
  isByName,
  USER_FIELDS,
} from "../domain/usage/usage-sum.ts";

// Which column of D1 holds which field of a row. The key comes first; `tenant` and `life` stand before
// it. A column is named after its field: `microNeurons` is in `micro_neurons`.

/** `json`: kept as text. */
export type ColumnKind = "plain" | "json";

type FieldColumn = readonly [column: string, field: string, kind: ColumnKind];

export interface ReportTable {
  readonly name: "usage_hours" | "call_hours" | "user_days" | "moderation_log";
  readonly key: readonly string[];
  readonly columns: readonly FieldColumn[];
}

export const columnOf = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const plain = (field: string): FieldColumn => [columnOf(field), field, "plain"];
const json = (field: string): FieldColumn => [columnOf(field), field, "json"];

const columnsOf = (fields: Fields): readonly FieldColumn[] =>
  Object.entries(fields).map(([field, kind]) => (isByName(kind) ? json(field) : plain(field)));

const namesOf = (fields: Fields, kind: ColumnKind): readonly string[] =>
  columnsOf(fields).flatMap(([column, , is]) => (is === kind ? [column] : []));

/** The columns of the numbers of a sum. */
export const amountColumns = (fields: Fields): readonly string[] => namesOf(fields, "plain");

/** The columns of the counts and amounts by name, as JSON. */
export const countColumns = (fields: Fields): readonly string[] => namesOf(fields, "json");

/** What ran, as the key of a row. */
const MODEL = ["model", "engine", "pricedAs", "task"];

export const REPORT_TABLES: Readonly<Record<ReportRowKind, ReportTable>> = {
  usage_hour: {
    name: "usage_hours",
    key: ["hour", ...MODEL.map(columnOf)],
    columns: [...["hour", ...MODEL].map(plain), ...columnsOf(ENGINE_FIELDS), plain("sequence")],
  },
  call_hour: {
    name: "call_hours",
    key: ["hour"],
    columns: [plain("hour"), ...columnsOf(CALL_FIELDS), plain("sequence")],
  },
  user_day: {
    name: "user_days",
    key: ["day", "slot"],
    columns: [
      ...["day", "slot", "userId"].map(plain),
      ...columnsOf(USER_FIELDS),
      plain("sequence"),
    ],
  },
  logged_verdict: {
    name: "moderation_log",
    key: ["verdict_id"],
    columns: [
      ...["verdictId", "revision", "createdAtMs", "decision", "approved"].map(plain),
      plain("decidedBy"),
      json("categories"),
      ...["userId", "contentId", "policy", "policyVersion", "removed"].map(plain),
      ...["expiresAtMs", "sequence"].map(plain),
    ],
  },
};

/** The expression for a field of a row in JSON. A row that is older than a count does not have it. */
export const valueOf = (field: string, kind: ColumnKind): string =>
  kind === "json" ? `IFNULL(value -> '$.${field}', '{}')` : `value ->> '$.${field}'`;
