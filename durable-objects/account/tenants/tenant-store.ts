import { microNeurons, type MicroNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import { posted } from "../../../src/domain/ledger/quota.ts";
import type { Database } from "../../database.ts";
import type { Period } from "../../tenant/ledger/ledger-store.ts";
import type { AuditEntry } from "../../../src/domain/account/audit-entry.ts";

export interface ListedTenant {
  readonly id: string;
  readonly generation: number;
  readonly state: "active" | "deleting" | "deleted";
  /** What the last life had posted on the day on which it ended. */
  readonly carried: { readonly day: Day; readonly posted: MicroNeurons };
}

type TenantRow = {
  id: string;
  generation: number;
  state: ListedTenant["state"];
  carried_day: number;
  carried: number;
};

type AuditRow = {
  id: string;
  at_ms: number;
  actor: string;
  action: string;
  tenant: string | null;
  request_id: string;
  detail: string;
};

export class AccountStore {
  readonly #db: Database;
  #counts: Record<ListedTenant["state"], number> | null = null;

  constructor(db: Database) {
    this.#db = db;
  }

  readTenant(id: string): ListedTenant | null {
    const row = this.#db.run<TenantRow>("SELECT * FROM tenants WHERE id = ?", id)[0];
    return row === undefined ? null : toTenant(row);
  }

  /** Those that are not deleted, by id. */
  listTenants(after: string, limit: number): ListedTenant[] {
    return this.#db
      .run<TenantRow>(
        "SELECT * FROM tenants WHERE id > ? AND state <> 'deleted' ORDER BY id LIMIT ?",
        after,
        limit + 1,
      )
      .map(toTenant);
  }

  /** Those of the ids that are of tenants. */
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

  keepPeriod(tenant: string, generation: number, { day, drawn, totals }: Period): void {
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

  /** Once: an act that is repeated because its answer was lost has the same id. */
  addAudit(entry: AuditEntry): void {
    this.#db.run(
      `INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      entry.id,
      entry.atMs,
      entry.actor,
      entry.action,
      entry.tenant,
      entry.requestId,
      JSON.stringify(entry.detail),
    );
  }

  /** Newest first. */
  listAudit(before: string, tenant: string | null, limit: number): AuditEntry[] {
    const rows =
      tenant === null
        ? this.#db.run<AuditRow>(
            "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
            before,
            limit + 1,
          )
        : this.#db.run<AuditRow>(
            "SELECT * FROM audit WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?",
            tenant,
            before,
            limit + 1,
          );
    return rows.map(toAudit);
  }
}

const toTenant = (row: TenantRow): ListedTenant => ({
  id: row.id,
  generation: row.generation,
  state: row.state,
  carried: { day: row.carried_day, posted: microNeurons(row.carried) },
});

const toAudit = (row: AuditRow): AuditEntry => ({
  id: row.id,
  atMs: row.at_ms,
  actor: row.actor,
  action: row.action,
  tenant: row.tenant,
  requestId: row.request_id,
  detail: JSON.parse(row.detail) as AuditEntry["detail"],
});

/** What a life that ends today hands on to the next one of that id. */
export const carriedFrom = (
  periods: readonly Period[],
  today: Day,
  before: ListedTenant["carried"],
): ListedTenant["carried"] => {
  const period = periods.find(({ day }) => day === today);
  const own = period === undefined ? 0 : posted(period.drawn);
  const earlier = before.day === today ? before.posted : 0;
  return { day: today, posted: microNeurons(own + earlier) };
};
