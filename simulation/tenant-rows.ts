import type { Database, SqlValue } from "../durable-objects/database.ts";
import type { CrashingDatabase } from "./crashing-database.ts";

// The rows of a tenant's object, as SQL gives them. Nothing here uses the stores of the product.

type SqlRow = Record<string, SqlValue>;

/** A line of the journal. */
export type Line = {
  id: string;
  day: number;
  outcome: "pending" | "posted" | "voided" | "expired";
  admitted_at_ms: number;
  settled_at_ms: number | null;
  held: number;
  quota: number;
  granted: number;
  overage: number;
  overage_rate: string | null;
  items: string;
  grants: string | null;
  verdict_id: string | null;
  verdicts: string | null;
};

export type GrantRow = {
  id: string;
  amount: number;
  drawn: number;
  expires_at_ms: number;
  ended_at_ms: number | null;
};

export type AdjustmentRow = {
  adjusts: string;
  day: number;
  admitted_at_ms: number;
  amount: number;
  quota: number;
  granted: number;
  overage: number;
  grants: string | null;
};

/** Reads rows by statement, and keeps them until a row may have changed. */
export class TenantRows {
  readonly #db: CrashingDatabase;
  readonly #read = new Map<string, readonly SqlRow[]>();
  #readAt = -1;

  constructor(db: CrashingDatabase) {
    this.#db = db;
  }

  /** Changes whenever a row may have changed. */
  get version(): number {
    return this.#db.version;
  }

  of(statement: string): readonly SqlRow[] {
    if (this.#readAt !== this.#db.version) {
      this.#read.clear();
      this.#readAt = this.#db.version;
    }
    const known = this.#read.get(statement);
    if (known !== undefined) return known;
    const rows = readRows(this.#db, statement);
    this.#read.set(statement, rows);
    return rows;
  }

  lines(): readonly Line[] {
    return this.of(
      `SELECT id, day, outcome, admitted_at_ms, settled_at_ms, held, quota, granted, overage,
        overage_rate, items, grants, verdict_id, verdicts FROM journal ORDER BY id`,
    ) as readonly Line[];
  }

  grants(): readonly GrantRow[] {
    return this.of(
      "SELECT id, amount, drawn, expires_at_ms, ended_at_ms FROM grants",
    ) as readonly GrantRow[];
  }

  adjustments(): readonly AdjustmentRow[] {
    return this.of(
      "SELECT adjusts, day, admitted_at_ms, amount, quota, granted, overage, grants FROM adjustments",
    ) as readonly AdjustmentRow[];
  }

  /** The amounts of a day that adjustments gave back. */
  back(day: number): Omit<AdjustmentRow, "adjusts" | "admitted_at_ms" | "grants"> {
    const of = this.adjustments().filter((made) => made.day === day);
    const sum = (part: "amount" | "quota" | "granted" | "overage"): number =>
      of.reduce((total, made) => total + made[part], 0);
    return {
      day,
      amount: sum("amount"),
      quota: sum("quota"),
      granted: sum("granted"),
      overage: sum("overage"),
    };
  }
}

/** The rows of a table; none if it does not exist, since its feature has no row. */
export function readRows(db: Database, select: string): SqlRow[] {
  const table = /FROM (\w+)/.exec(select)?.[1] ?? "";
  const found = db.run("SELECT 1 AS found FROM sqlite_master WHERE name = ?", table);
  return found.length === 0 ? [] : db.run(select);
}

/** µN. */
export const chargedIn = (line: Line): number => line.quota + line.granted + line.overage;

/** µN. */
export const pendingIn = (line: Line): number => (line.outcome === "pending" ? line.held : 0);

/** The amount that a line takes of its day in µN: its charge, or its hold while it is pending. */
export const weight = (line: Line): number =>
  line.outcome === "pending" ? line.held : chargedIn(line);
