import { microNeurons, type MicroNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";

export interface ListedTenant {
  readonly id: string;
  readonly generation: number;
  readonly state: "active" | "deleting" | "deleted";
  /** What the last generation had posted on the day on which it ended. */
  readonly carried: { readonly day: Day; readonly posted: MicroNeurons };
}

type TenantRow = {
  id: string;
  generation: number;
  state: ListedTenant["state"];
  carried_day: number;
  carried: number;
};

/** The list of tenants. A row stays after a deletion, so that the next generation has its number. */
export class TenantStore {
  readonly #db: Database;
  #counts: Record<ListedTenant["state"], number> | null = null;

  constructor(db: Database) {
    this.#db = db;
  }

  readTenant(id: string): ListedTenant | null {
    const row = this.#db.run<TenantRow>("SELECT * FROM tenants WHERE id = ?", id)[0];
    return row === undefined ? null : toTenant(row);
  }

  /** Those that are not deleted, by id: one more than the limit, where there is one. */
  listTenants(after: string, limit: number): ListedTenant[] {
    return this.#db
      .run<TenantRow>(
        "SELECT * FROM tenants WHERE id > ? AND state <> 'deleted' ORDER BY id LIMIT ?",
        after,
        limit + 1,
      )
      .map(toTenant);
  }

  /** Those of the ids that are of active tenants, by id. */
  listedAmong(ids: readonly string[]): string[] {
    return this.#db
      .run<{ id: string }>(
        `SELECT id FROM tenants
          WHERE id IN (SELECT value FROM json_each(?)) AND state = 'active' ORDER BY id`,
        JSON.stringify(ids),
      )
      .map(({ id }) => id);
  }

  /** How many there are of each state: counted once, then kept as they change. */
  countTenants(): Readonly<Record<ListedTenant["state"], number>> {
    return (this.#counts ??= this.#countAll());
  }

  #countAll(): Record<ListedTenant["state"], number> {
    const rows = this.#db.run<{ state: ListedTenant["state"]; count: number }>(
      "SELECT state, COUNT(*) AS count FROM tenants GROUP BY state",
    );
    const none = { active: 0, deleting: 0, deleted: 0 };
    return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
  }

  /** Whether this generation of a tenant is there, and is not about to end. */
  isActive(id: string, generation: number): boolean {
    const listed = this.readTenant(id);
    return listed?.state === "active" && listed.generation === generation;
  }

  /** By id, after one of them. */
  listDeleting(after: string, limit: number): ListedTenant[] {
    return this.#db
      .run<TenantRow>(
        "SELECT * FROM tenants WHERE state = 'deleting' AND id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )
      .map(toTenant);
  }

  writeTenant({ id, generation, state, carried }: ListedTenant, nowMs: number): void {
    const before = this.#counts === null ? null : this.readTenant(id);
    this.#db.run(
      `INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, state = excluded.state,
          carried_day = excluded.carried_day, carried = excluded.carried,
          deleted_at_ms = IIF(excluded.state = 'deleted', excluded.created_at_ms, NULL)`,
      id,
      generation,
      state,
      carried.day,
      carried.posted,
      nowMs,
    );
    if (this.#counts === null) return;
    if (before !== null) this.#counts[before.state] -= 1;
    this.#counts[state] += 1;
  }
}

const toTenant = (row: TenantRow): ListedTenant => ({
  id: row.id,
  generation: row.generation,
  state: row.state,
  carried: { day: row.carried_day, posted: microNeurons(row.carried) },
});
