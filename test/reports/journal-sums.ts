import { env } from "cloudflare:test";
import type { JournalLine } from "../../src/domain/ledger/ledger.ts";

// What a journal adds up to, and what the reports say of it, both as plain sums by name: worked out
// apart from the code that folds, so that the two can be held against each other.

const HOUR_MS = 3_600_000;

const DOCUMENT_ROUTES = [
  "POST /v1/documents",
  "POST /v1/documents/{id}/embed",
  "POST /v1/pipelines/runs",
];

type Sums = Record<string, number>;

function add(sums: Sums, name: string, amount: number): void {
  if (amount !== 0) sums[name] = (sums[name] ?? 0) + amount;
}

const sorted = (sums: Sums): Sums =>
  Object.fromEntries(
    Object.entries(sums)
      .filter(([, sum]) => sum !== 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

/** By hour, model and task, and by hour: every amount that the lines hold. */
export function journalSums(lines: readonly JournalLine[], adjustments: readonly Row[] = []): Sums {
  const sums: Sums = {};
  for (const made of adjustments) {
    const hour = Math.floor(Number(made["admitted_at_ms"]) / HOUR_MS);
    for (const part of ["quota", "granted", "overage"]) {
      add(sums, `${hour} ${part}`, 0 - Number(made[part]));
    }
    add(sums, `${hour} adjusted`, 0 - Number(made["amount"]));
  }
  for (const line of lines) {
    const hour = Math.floor(line.admittedAtMs / HOUR_MS);
    const isLate = Math.floor(line.settledAtMs / HOUR_MS / 24) > line.day;
    const { quota, granted, overage } = line.drawn;
    add(sums, `${hour} calls`, 1);
    add(sums, `${hour} ${line.outcome}`, 1);
    add(sums, `${hour} quota`, quota);
    add(sums, `${hour} granted`, granted);
    add(sums, `${hour} overage`, overage);
    const verdicts = line.verdicts ?? (line.verdictId === null ? {} : { made: 1 });
    if (line.outcome !== "expired") {
      for (const [name, count] of Object.entries(verdicts)) add(sums, `${hour} v ${name}`, count);
      if ((verdicts["made"] ?? 0) > 0)
        add(sums, `${hour} v micro_neurons`, quota + granted + overage);
    }
    if (DOCUMENT_ROUTES.includes(line.route)) {
      add(sums, `${hour} w document_calls`, 1);
      add(sums, `${hour} w document_micro_neurons`, quota + granted + overage);
    }
    if (isLate) add(sums, `${hour} after midnight`, quota + granted + overage);
    for (const item of line.items) {
      const name = `${hour} ${item.model ?? item.pricedAs} ${item.task}`;
      add(sums, `${name} µN`, item.microNeurons);
      add(sums, `${name} overrun`, item.overrun);
      if (item.basis === "held") add(sums, `${name} held`, item.microNeurons);
      if (item.basis === "estimated") add(sums, `${name} estimated`, item.microNeurons);
      // Nobody was asked: there are no units.
      if (item.model === null) continue;
      add(sums, `${name} requests`, item.calls);
      for (const [unit, count] of Object.entries(item.units)) add(sums, `${name} ${unit}`, count);
    }
    if (line.userId !== null) add(sums, `${line.day} users' µN`, quota + granted + overage);
  }
  return sorted(sums);
}

export type Row = Record<string, unknown>;

const CALL_FIELDS = "calls posted voided expired quota granted overage adjusted".split(" ");

const all = async (statement: string, tenant: string): Promise<readonly Row[]> =>
  (await env.REPORTS.prepare(statement).bind(tenant).all<Row>()).results;

/** The same sums, of what D1 holds of a tenant. */
export async function reportedSums(tenant: string): Promise<Sums> {
  const sums: Sums = {};
  for (const row of await all("SELECT * FROM usage_hours WHERE tenant = ?", tenant)) {
    const name = [row["hour"], row["model"], row["task"]].join(" ");
    add(sums, `${name} µN`, Number(row["micro_neurons"]));
    add(sums, `${name} overrun`, Number(row["overrun"]));
    add(sums, `${name} held`, Number(row["held"]));
    add(sums, `${name} estimated`, Number(row["estimated"]));
    add(sums, `${name} requests`, Number(row["engine_requests"]));
    const units = JSON.parse(String(row["units"])) as Record<string, number>;
    for (const [unit, count] of Object.entries(units)) add(sums, `${name} ${unit}`, count);
  }
  for (const row of await all("SELECT * FROM call_hours WHERE tenant = ?", tenant)) {
    const hour = Number(row["hour"]);
    for (const field of CALL_FIELDS) add(sums, `${hour} ${field}`, Number(row[field]));
    add(sums, `${hour} after midnight`, Number(row["settled_after_midnight"]));
    const verdicts = JSON.parse(String(row["verdicts"])) as Record<string, number>;
    for (const [name, count] of Object.entries(verdicts)) add(sums, `${hour} v ${name}`, count);
    const work = JSON.parse(String(row["work"])) as Record<string, number>;
    // What was counted when it happened is not in the journal.
    for (const name of ["document_calls", "document_micro_neurons"]) {
      add(sums, `${hour} w ${name}`, work[name] ?? 0);
    }
  }
  for (const row of await all("SELECT * FROM user_days WHERE tenant = ?", tenant)) {
    add(sums, `${Number(row["day"])} users' µN`, Number(row["micro_neurons"]));
  }
  return sorted(sums);
}
