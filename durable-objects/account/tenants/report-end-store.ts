import type { DayTotals } from "../../../src/domain/ledger/day-totals.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";
import type { Period } from "../../tenant/ledger/ledger-store.ts";

/** An ended generation whose rows in the reports are replaced by its daily totals. */
export interface ReportEnd {
  readonly tenant: string;
  readonly generation: number;
  /** Its rows are gone; its days are written next. */
  readonly cleared: boolean;
  /** Days up to this one are written. */
  readonly afterDay: Day;
  readonly dueAtMs: number;
}

type EndRow = {
  tenant: string;
  generation: number;
  cleared: number;
  after_day: number;
  due_at_ms: number;
};

type ClosedRow = { day: number; quota: number; granted: number; overage: number; totals: string };

export class ReportEndStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The earliest due first. */
  list(limit: number): ReportEnd[] {
    return this.#db
      .run<EndRow>("SELECT * FROM report_ends ORDER BY due_at_ms LIMIT ?", limit)
      .map((row) => ({
        tenant: row.tenant,
        generation: row.generation,
        cleared: row.cleared === 1,
        afterDay: row.after_day,
        dueAtMs: row.due_at_ms,
      }));
  }

  write({ tenant, generation, cleared, afterDay, dueAtMs }: ReportEnd): void {
    this.#db.run(
      `INSERT OR REPLACE INTO report_ends (tenant, generation, cleared, after_day, due_at_ms)
        VALUES (?, ?, ?, ?, ?)`,
      tenant,
      generation,
      cleared ? 1 : 0,
      afterDay,
      dueAtMs,
    );
  }

  remove({ tenant, generation }: Pick<ReportEnd, "tenant" | "generation">): void {
    this.#db.run("DELETE FROM report_ends WHERE tenant = ? AND generation = ?", tenant, generation);
  }

  countOf(tenant: string): number {
    const [row] = this.#db.run<{ generations: number }>(
      "SELECT COUNT(*) AS generations FROM report_ends WHERE tenant = ?",
      tenant,
    );
    return row?.generations ?? 0;
  }

  /** Ended generations of a tenant with daily totals. */
  listGenerations(tenant: string, before: number): number[] {
    return this.#db
      .run<{ generation: number }>(
        "SELECT DISTINCT generation FROM closed_periods WHERE tenant = ? AND generation < ?",
        tenant,
        before,
      )
      .map(({ generation }) => generation);
  }

  /** Daily totals of an ended generation, in order. */
  listDays({ tenant, generation, afterDay }: ReportEnd, limit: number): Period[] {
    return this.#db
      .run<ClosedRow>(
        `SELECT day, quota, granted, overage, totals FROM closed_periods
          WHERE tenant = ? AND generation = ? AND day > ? ORDER BY day LIMIT ?`,
        tenant,
        generation,
        afterDay,
        limit,
      )
      .map((row) => ({
        day: row.day,
        drawn: {
          quota: microNeurons(row.quota),
          granted: microNeurons(row.granted),
          overage: microNeurons(row.overage),
        },
        totals: JSON.parse(row.totals) as DayTotals,
      }));
  }

  countDead(day: Day, messages: number): void {
    this.#db.run(
      `INSERT INTO dead_messages (day, messages) VALUES (?, ?)
        ON CONFLICT (day) DO UPDATE SET messages = messages + excluded.messages`,
      day,
      messages,
    );
  }

  /** Of all days. */
  deadMessages(): number {
    const [row] = this.#db.run<{ messages: number | null }>(
      "SELECT SUM(messages) AS messages FROM dead_messages",
    );
    return row?.messages ?? 0;
  }
}
