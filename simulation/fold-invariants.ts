import { chargedIn, type Line, type TenantRows } from "./tenant-rows.ts";

// The rows of the reports, compared with the journal that they were folded from.

const HOUR_MS = 3_600_000;

const USAGE_FIELDS = [
  ["microNeurons", "µN"],
  ["engineRequests", "requests"],
] as const;
const CALL_FIELDS = (
  ["calls", "posted", "voided", "expired", "quota", "granted", "overage", "adjusted"] as const
).map((field) => [field, field] as const);

/** Checks, after the whole journal was folded, that the reports' rows hold each line exactly once. */
export function checkFolded(rows: TenantRows): void {
  const journal = new Map<string, number>();
  const add = (name: string, amount: number): void => {
    if (amount !== 0) journal.set(name, (journal.get(name) ?? 0) + amount);
  };
  for (const line of rows.lines()) {
    if (line.outcome === "pending") continue;
    const hour = Math.floor(line.admitted_at_ms / HOUR_MS);
    add(`${hour} calls`, 1);
    add(`${hour} ${line.outcome}`, 1);
    for (const part of ["quota", "granted", "overage"] as const) add(`${hour} ${part}`, line[part]);
    for (const [count, amount] of countsIn(line)) add(`${hour} verdicts ${count}`, amount);
    for (const item of JSON.parse(line.items) as unknown[][]) {
      const [, , , model, engine, pricedAs, task, calls, , amount] = item;
      const name = [hour, model === "" ? pricedAs : model, engine ?? "unknown", pricedAs, task];
      add(`${name.join("|")} µN`, Number(amount));
      if (model !== null) add(`${name.join("|")} requests`, Number(calls));
    }
  }
  for (const made of rows.adjustments()) {
    const hour = Math.floor(made.admitted_at_ms / HOUR_MS);
    for (const part of ["quota", "granted", "overage"] as const) {
      add(`${hour} ${part}`, 0 - made[part]);
    }
    add(`${hour} adjusted`, 0 - made.amount);
  }
  const reported = new Map<string, number>();
  for (const { kind, key, body } of reportRows(rows)) {
    const row = JSON.parse(body) as Record<string, unknown>;
    const fields = kind === "usage_hour" ? USAGE_FIELDS : CALL_FIELDS;
    const name = kind === "usage_hour" ? key.replace(/^0+/, "") : String(row["hour"]);
    for (const [field, as] of fields) {
      if (row[field] !== 0) reported.set(`${name} ${as}`, Number(row[field]));
    }
    for (const [count, amount] of Object.entries(row["verdicts"] ?? {})) {
      reported.set(`${name} verdicts ${count}`, Number(amount));
    }
  }
  const all = new Set([...journal.keys(), ...reported.keys()]);
  for (const name of all) {
    if ((journal.get(name) ?? 0) !== (reported.get(name) ?? 0)) {
      throw new Error(`${name}: ${reported.get(name)} folded of ${journal.get(name)}`);
    }
  }
}

const reportRows = (rows: TenantRows): readonly { kind: string; key: string; body: string }[] =>
  rows.of(
    "SELECT kind, key, body FROM report_rows WHERE kind IN ('usage_hour', 'call_hour')",
  ) as readonly { kind: string; key: string; body: string }[];

/** The counts of a line's verdicts. An older one has only its verdict's id. */
function countsIn(line: Line): [string, number][] {
  if (line.outcome === "expired") return [];
  const plain = line.verdict_id === null ? {} : { made: 1 };
  const counts =
    line.verdicts === null ? plain : (JSON.parse(line.verdicts) as Record<string, number>);
  const cost = "made" in counts ? [["micro_neurons", chargedIn(line)] as [string, number]] : [];
  return [...Object.entries(counts), ...cost];
}
