import type { Database } from "../../database.ts";

/** Files of an ended generation, to be erased at `dueAtMs`. The first look after `lastAtMs` is the last. */
export interface FileSweep {
  readonly tenant: string;
  readonly generation: number;
  readonly dueAtMs: number;
  readonly lastAtMs: number;
}

type SweepRow = { tenant: string; generation: number; due_at_ms: number; last_at_ms: number };

export class FileSweepStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The earliest due first. */
  list(limit: number): FileSweep[] {
    return this.#db
      .run<SweepRow>("SELECT * FROM file_sweeps ORDER BY due_at_ms LIMIT ?", limit)
      .map(toSweep);
  }

  write({ tenant, generation, dueAtMs, lastAtMs }: FileSweep): void {
    this.#db.run(
      `INSERT OR REPLACE INTO file_sweeps (tenant, generation, due_at_ms, last_at_ms)
        VALUES (?, ?, ?, ?)`,
      tenant,
      generation,
      dueAtMs,
      lastAtMs,
    );
  }

  remove({ tenant, generation }: FileSweep): void {
    this.#db.run("DELETE FROM file_sweeps WHERE tenant = ? AND generation = ?", tenant, generation);
  }
}

const toSweep = (row: SweepRow): FileSweep => ({
  tenant: row.tenant,
  generation: row.generation,
  dueAtMs: row.due_at_ms,
  lastAtMs: row.last_at_ms,
});
