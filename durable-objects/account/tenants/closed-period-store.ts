import type { DayTotals } from "../../../src/domain/ledger/day-totals.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Month } from "../../../src/domain/ledger/period.ts";
import type { DayUsage } from "../../../src/domain/usage/tenant-usage.ts";
import type { Database } from "../../database.ts";
import type { Period } from "../../tenant/ledger/ledger-store.ts";

export interface ClosedMonth {
  /** Generations that have figures in the month, the earliest first. */
  readonly lives: readonly number[];
  /** The generation of these days; null: there is none. */
  readonly generation: number | null;
  readonly days: readonly DayUsage[];
}

type PeriodRow = { day: number; quota: number; granted: number; overage: number; totals: string };

/** Daily totals of generations that have ended, without persons or content: statements still add up. */
export class ClosedPeriodStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  keep(tenant: string, generation: number, { day, drawn, totals }: Period): void {
    this.#db.run(
      `INSERT OR REPLACE INTO closed_periods (tenant, generation, day, quota, granted, overage, totals)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      tenant,
      generation,
      day,
      drawn.quota,
      drawn.granted,
      drawn.overage,
      JSON.stringify(totals),
    );
  }

  /** @param generation null: the latest that has figures in the month */
  read(tenant: string, generation: number | null, { first, end }: Month): ClosedMonth {
    const lives = this.#db
      .run<{ generation: number }>(
        `SELECT DISTINCT generation FROM closed_periods WHERE tenant = ? AND day >= ? AND day < ?
          ORDER BY generation`,
        tenant,
        first,
        end,
      )
      .map((row) => row.generation);
    const chosen = generation ?? lives.at(-1) ?? null;
    if (chosen === null || !lives.includes(chosen)) return { lives, generation: null, days: [] };
    const days = this.#db
      .run<PeriodRow>(
        `SELECT day, quota, granted, overage, totals FROM closed_periods
          WHERE tenant = ? AND generation = ? AND day >= ? AND day < ? ORDER BY day`,
        tenant,
        chosen,
        first,
        end,
      )
      .map(toDay);
    return { lives, generation: chosen, days };
  }
}

const toDay = (row: PeriodRow): DayUsage => ({
  day: row.day,
  drawn: {
    quota: microNeurons(row.quota),
    granted: microNeurons(row.granted),
    overage: microNeurons(row.overage),
  },
  totals: JSON.parse(row.totals) as DayTotals,
});
