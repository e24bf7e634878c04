import type { ModelKey } from "../../../src/domain/ledger/day-totals.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { GroupKey } from "../../../src/domain/usage/usage-report.ts";
import { SPLIT_FIELDS, type Split, type SplitSum } from "../../../src/domain/usage/usage-split.ts";
import { addSums } from "../../../src/domain/usage/usage-sum.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { REPORT_USERS } from "../usage/feed-schema.ts";
import { USAGE_SPLITS } from "./split-schema.ts";

/** Whose calls of a day, and which model ran. */
export interface SplitPlace {
  readonly day: Day;
  /** The user's place within the day; 0: users without one; -1: no user was named. */
  readonly slot: number;
  readonly keyId: string | null;
  readonly model: ModelKey | null;
}

type SumRow = {
  calls: number;
  engine_requests: number;
  failed: number;
  micro_neurons: number;
  estimated: number;
  held: number;
  overrun: number;
};

/** A group of rows: what it is not grouped by is null. */
type GroupRow = { day: number | null; user_id: string | null; key_id: string; model: string };

const SUMS = [
  "calls",
  "engine_requests",
  "failed",
  "micro_neurons",
  "estimated",
  "held",
  "overrun",
];
const COLUMNS = [...SUMS, "units"];
const WHERE = "day = ? AND slot = ? AND key_id = ? AND model = ?";

/** More than a day has places. */
const PLACES = 100_000;

const NAMES = `WITH u AS MATERIALIZED (SELECT day * ?3 + slot AS place, user_id FROM report_users
  WHERE day >= ?1 AND day <= ?2)`;

export interface Range {
  readonly from: Day;
  /** Included. */
  readonly to: Day;
}

export class SplitStore {
  readonly #db: FeatureDatabase;
  readonly #users: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(USAGE_SPLITS);
    this.#users = db.of(REPORT_USERS);
  }

  /** False: there is no such row, and nothing was added. */
  addTo(place: SplitPlace, more: SplitSum): boolean {
    const [row] = this.#db.run<SumRow & { units: string }>(
      `SELECT ${COLUMNS.join(", ")} FROM usage_splits WHERE ${WHERE}`,
      ...keyOf(place),
    );
    if (row === undefined) return false;
    const before = toSum(row, JSON.parse(row.units) as SplitSum["units"]);
    this.#db.run(
      `UPDATE usage_splits SET ${COLUMNS.map((name) => `${name} = ?`).join(", ")} WHERE ${WHERE}`,
      ...valuesOf(addSums(SPLIT_FIELDS, before, more)),
      ...keyOf(place),
    );
    return true;
  }

  insert(place: SplitPlace, sums: SplitSum): void {
    this.#db.run(
      `INSERT INTO usage_splits (day, slot, key_id, model, ${COLUMNS.join(", ")})
        VALUES (?, ?, ?, ?, ${COLUMNS.map(() => "?").join(", ")})`,
      ...keyOf(place),
      ...valuesOf(sums),
    );
  }

  countOf(day: Day): number {
    const [row] = this.#db.run<{ rows: number }>(
      "SELECT COUNT(*) AS rows FROM usage_splits WHERE day = ?",
      day,
    );
    return row?.rows ?? 0;
  }

  /**
   * The sums of some days, added up by the database: a month has tens of thousands of rows. By user, of
   * the calls that named one; by model or task, of what ran.
   */
  sums(range: Range, groupBy: readonly GroupKey[]): readonly Split[] {
    const by = new Set(groupBy);
    const isByUser = by.has("user") && this.#users.isThere;
    const isByModel = by.has("model") || by.has("task");
    const keys = [
      by.has("day") ? "s.day" : "NULL",
      isByUser ? "u.user_id" : "NULL",
      by.has("key") ? "s.key_id" : "''",
      isByModel ? "s.model" : "''",
    ];
    // A user who was erased has no place any more: no name is found. `report_users` has no index by
    // place, so the database makes one of the days' names.
    const from = isByUser
      ? "usage_splits AS s LEFT JOIN u ON u.place = s.day * ?3 + s.slot"
      : "usage_splits AS s";
    const names = isByUser ? NAMES : "";
    const where = `s.day >= ?1 AND s.day <= ?2${by.has("user") ? " AND s.slot >= 0" : ""}${
      isByModel ? " AND s.model <> ''" : ""
    }`;
    const [day, user, key, model] = keys;
    const named = `${day} AS day, ${user} AS user_id, ${key} AS key_id, ${model} AS model`;
    const bound = isByUser ? [range.from, range.to, PLACES] : [range.from, range.to];
    const units = this.#db.run<GroupRow & { unit: string; amount: number }>(
      `${names} SELECT ${named}, units.key AS unit, SUM(units.value) AS amount
        FROM ${from}, json_each(s.units) AS units WHERE ${where} GROUP BY 1, 2, 3, 4, 5`,
      ...bound,
    );
    const unitsOf = Map.groupBy(units, idOf);
    return this.#db
      .run<GroupRow & SumRow>(
        `${names} SELECT ${named}, ${SUMS.map((name) => `SUM(s.${name}) AS ${name}`).join(", ")}
          FROM ${from} WHERE ${where} GROUP BY 1, 2, 3, 4`,
        ...bound,
      )
      .map((row) => {
        const some = (unitsOf.get(idOf(row)) ?? []).map(({ unit, amount }) => [unit, amount]);
        return {
          day: row.day ?? range.from,
          userId: row.user_id,
          keyId: row.key_id === "" ? null : row.key_id,
          model: toModel(row.model),
          ...toSum(row, Object.fromEntries(some) as SplitSum["units"]),
        };
      });
  }

  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number }>(
      "SELECT day FROM usage_splits ORDER BY day LIMIT 1",
    );
    return row?.day ?? null;
  }

  /** Deletes at most `limit` rows of days before that one; true when there may be more. */
  purge(before: Day, limit: number): boolean {
    const rows = this.#db.run<{ day: number; slot: number; key_id: string; model: string }>(
      `SELECT day, slot, key_id, model FROM usage_splits WHERE day < ?
        ORDER BY day, slot, key_id, model LIMIT ?`,
      before,
      limit,
    );
    for (const { day, slot, key_id: keyId, model } of rows) {
      this.#db.run(`DELETE FROM usage_splits WHERE ${WHERE}`, day, slot, keyId, model);
    }
    return rows.length === limit;
  }
}

const idOf = ({ day, user_id: user, key_id: key, model }: GroupRow): string =>
  JSON.stringify([day, user, key, model]);

type ModelTuple = readonly [model: string, engine: string, pricedAs: string, task: string];

const keyOf = ({ day, slot, keyId, model }: SplitPlace) => {
  const tuple: ModelTuple | null =
    model === null ? null : [model.model, model.engine, model.pricedAs, model.task];
  return [day, slot, keyId ?? "", tuple === null ? "" : JSON.stringify(tuple)] as const;
};

function toModel(stored: string): ModelKey | null {
  if (stored === "") return null;
  const [model, engine, pricedAs, task] = JSON.parse(stored) as ModelTuple;
  return { model, engine, pricedAs, task };
}

const toSum = (row: SumRow, units: SplitSum["units"]): SplitSum => ({
  calls: row.calls,
  engineRequests: row.engine_requests,
  failed: row.failed,
  units,
  microNeurons: row.micro_neurons,
  estimated: row.estimated,
  held: row.held,
  overrun: row.overrun,
});

/** In the order of `COLUMNS`. */
const valuesOf = (sums: SplitSum): readonly (string | number)[] => [
  sums.calls,
  sums.engineRequests,
  sums.failed,
  sums.microNeurons,
  sums.estimated,
  sums.held,
  sums.overrun,
  JSON.stringify(sums.units),
];
