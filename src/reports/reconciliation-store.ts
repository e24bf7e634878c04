import type { AccountDay, JournalModel, ModelDrift } from "../domain/usage/drift.ts";
import type { ReconciledDay, ReconciledModel } from "../domain/usage/drift-object.ts";
import type { Day } from "../domain/ledger/period.ts";
import {
  type DayRow,
  dayValues,
  type JournalRow,
  type ModelRow,
  toDay,
  toJournal,
  toValues,
} from "./reconciliation-row.ts";
import { StatementBuilder, type Column, type Reach, sourceOf } from "./usage-source-store.ts";

// What the reconciliation keeps, and the sums over the reports that it starts from.

export interface Run {
  readonly day: Day;
  readonly outcome: ReconciledDay["lastOutcome"];
  readonly reason: string | null;
  readonly atMs: number;
  readonly drifts: readonly ModelDrift[];
  readonly money: AccountDay;
}

/** Of rows of usage of a day and of the day before it. */
const JOURNAL_AMOUNTS = [
  "micro_neurons",
  "engine_requests",
  "input_tokens",
  "output_tokens",
  "estimated",
  "held",
  "overrun",
  "settled_after_midnight",
];

/** Sums over all tenants by model, of a day's rows and, of one column, of the day before. */
const journal = (source: string, day: Day, engines: string): string => `SELECT model,
    CAST(SUM(IIF(day = ${day}, micro_neurons, 0)) AS TEXT) AS micro_neurons,
    SUM(IIF(day = ${day}, engine_requests, 0)) AS requests,
    SUM(IIF(day = ${day}, input_tokens, 0)) AS input_tokens,
    SUM(IIF(day = ${day}, output_tokens, 0)) AS output_tokens,
    CAST(SUM(IIF(day = ${day}, estimated, 0)) AS TEXT) AS estimated,
    CAST(SUM(IIF(day = ${day}, held, 0)) AS TEXT) AS held,
    CAST(SUM(IIF(day = ${day}, overrun, 0)) AS TEXT) AS overrun,
    CAST(SUM(IIF(day = ${day}, settled_after_midnight, 0)) AS TEXT) AS settled_after_midnight,
    CAST(SUM(IIF(day < ${day}, settled_after_midnight, 0)) AS TEXT) AS settled_from_day_before
  FROM (${source}) WHERE engine IN (SELECT value FROM json_each(${engines}))
  GROUP BY model
  HAVING MAX(day) = ${day} OR settled_from_day_before <> '0'`;

/** Whole days of all tenants. */
const daysOf = (from: Day, to: Day): Reach => ({
  from,
  to,
  hours: null,
  tenants: { kind: "all", byTenant: false },
});

const AMOUNTS = [
  "micro_neurons",
  "estimated",
  "held",
  "overrun",
  "settled_after_midnight",
  "settled_from_day_before",
  "upstream_micro_neurons",
  "first_upstream_micro_neurons",
  "drift",
  "unexplained",
] as const;

const COUNTS = [
  "requests",
  "input_tokens",
  "output_tokens",
  "upstream_requests",
  "upstream_input_tokens",
  "upstream_output_tokens",
] as const;

const MODELS = `SELECT day, model, ${AMOUNTS.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(", ")},
  ${COUNTS.join(", ")} FROM reconciliation WHERE day >= ?1 AND day <= ?2 ORDER BY day, model`;

/** One statement for all models: a Worker on the free plan may ask D1 fifty. */
const INSERT_MODELS = `INSERT INTO reconciliation (day, model, ${[...AMOUNTS, ...COUNTS].join(", ")})
  SELECT ?1, value ->> 'model', ${[...AMOUNTS, ...COUNTS].map((name) => `value ->> '${name}'`).join(", ")}
  FROM json_each(?2)`;

const INSERT_DAY = `INSERT OR REPLACE INTO reconciliation_days
  (day, state, runs, first_run_at_ms, last_run_at_ms, last_outcome, last_reason, compared_at_ms,
    cost_usd, free_allocation_usd, expected_bill_usd, charged_to_tenants_usd, carried_by_platform_usd)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export class ReconciliationStore {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** What the journals charged for a day, by model; reads two days of usage. */
  async journalOf(day: Day, engines: readonly string[]): Promise<JournalModel[]> {
    const statement = new StatementBuilder();
    const columns: readonly Column[] = [
      ["day", "{day}"],
      ["model", "t.model"],
      ["engine", "t.engine"],
      ...JOURNAL_AMOUNTS.map((name): Column => [name, `t.${name}`]),
    ];
    const source = sourceOf("usage", daysOf(day - 1, day + 1), { columns, statement });
    const { results } = await statement
      .on(this.#database, journal(source, day, statement.put(JSON.stringify(engines))))
      .all<JournalRow>();
    return results.map(toJournal);
  }

  /** The overage of all tenants' calls of a day, by rate. */
  async overageOf(day: Day): Promise<{ usdPer1000: string; microNeurons: bigint }[]> {
    const statement = new StatementBuilder();
    const columns: readonly Column[] = [["overage_by_rate", "t.overage_by_rate"]];
    const source = sourceOf("calls", daysOf(day, day + 1), { columns, statement });
    const { results } = await statement
      .on(
        this.#database,
        `SELECT rates.key AS rate, CAST(SUM(rates.value) AS TEXT) AS amount
          FROM (${source}) AS s, json_each(s.overage_by_rate) AS rates GROUP BY rates.key`,
      )
      .all<{ rate: string; amount: string }>();
    return results.map(({ rate, amount }) => ({ usdPer1000: rate, microNeurons: BigInt(amount) }));
  }

  /** Days from the newest, both ends included, each with its models. */
  async readDays(from: Day, to: Day): Promise<ReconciledDay[]> {
    const [days, models] = await this.#database.batch<DayRow | ModelRow>([
      this.#database
        .prepare("SELECT * FROM reconciliation_days WHERE day >= ? AND day <= ? ORDER BY day DESC")
        .bind(from, to),
      this.#database.prepare(MODELS).bind(from, to),
    ]);
    const rows = (models?.results ?? []) as ModelRow[];
    return ((days?.results ?? []) as DayRow[]).map((row) =>
      toDay(
        row,
        rows.filter(({ day }) => day === row.day),
      ),
    );
  }

  /** Of the days from `from` on that could be compared, over all models. */
  async driftsFrom(from: Day): Promise<{ drift: bigint; overrun: bigint }[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT CAST(SUM(drift) AS TEXT) AS drift, CAST(SUM(overrun) AS TEXT) AS overrun
          FROM reconciliation WHERE day >= ? AND drift IS NOT NULL GROUP BY day`,
      )
      .bind(from)
      .all<{ drift: string; overrun: string }>();
    return results.map((row) => ({ drift: BigInt(row.drift), overrun: BigInt(row.overrun) }));
  }

  /** The last day that was looked at, and the last that could be compared. */
  async readLatest(): Promise<{
    readonly latest: ReconciledDay | null;
    readonly compared: ReconciledDay | null;
  }> {
    const last = await this.#database
      .prepare(
        `SELECT MAX(day) AS latest, MAX(IIF(state = 'compared', day, NULL)) AS compared
          FROM reconciliation_days`,
      )
      .first<{ latest: number | null; compared: number | null }>();
    const read = async (day: number | null | undefined): Promise<ReconciledDay | null> =>
      day === null || day === undefined ? null : ((await this.readDays(day, day))[0] ?? null);
    const [latest, compared] = await Promise.all([read(last?.latest), read(last?.compared)]);
    return { latest, compared };
  }

  /**
   * Keeps what a run came to. What could be compared once is not replaced by what could not: the day
   * then keeps its figures, and says how the latest run went.
   */
  async save(run: Run): Promise<ReconciledDay> {
    const { day, outcome, reason, atMs } = run;
    const [before] = await this.readDays(day, day);
    const keepsFigures = outcome !== "compared" && before?.state === "compared";
    const kept: ReconciledDay = {
      day,
      state: keepsFigures ? "compared" : stateOf(outcome, before?.state),
      runs: (before?.runs ?? 0) + 1,
      firstRunAtMs: before?.firstRunAtMs ?? atMs,
      lastRunAtMs: atMs,
      lastOutcome: outcome,
      lastReason: reason,
      comparedAtMs: outcome === "compared" ? atMs : (before?.comparedAtMs ?? null),
      money: keepsFigures ? before.money : run.money,
      models: keepsFigures ? before.models : keptDrifts(run.drifts, before),
    };
    await this.#database.batch([
      this.#database.prepare(INSERT_DAY).bind(...dayValues(kept)),
      this.#database.prepare("DELETE FROM reconciliation WHERE day = ?").bind(day),
      this.#database.prepare(INSERT_MODELS).bind(day, JSON.stringify(kept.models.map(toValues))),
    ]);
    return kept;
  }
}

const stateOf = (
  outcome: ReconciledDay["lastOutcome"],
  before: ReconciledDay["state"] | undefined,
): ReconciledDay["state"] => {
  if (outcome === "compared" || outcome === "no_data") return outcome;
  return before ?? "unknown";
};

/** A model that was not named when the day was first compared was not used, as far as was known. */
function keptDrifts(
  drifts: readonly ModelDrift[],
  before: ReconciledDay | undefined,
): ReconciledModel[] {
  if (before?.state !== "compared") {
    return drifts.map((drift) => ({
      ...drift,
      firstUpstream: drift.upstream?.microNeurons ?? null,
    }));
  }
  const first = new Map(before.models.map(({ model, firstUpstream }) => [model, firstUpstream]));
  return drifts.map((drift) => ({ ...drift, firstUpstream: first.get(drift.model) ?? 0n }));
}
