import type { Settings } from "../../src/domain/tenant/settings.ts";
import type { ApplyTenant, Stage } from "../../src/domain/tenant/state-apply.ts";
import type { TenantPlan } from "../../src/domain/tenant/state-plan.ts";
import type { Database } from "../database.ts";

/** Settings as a document gives them: what is absent has its default. */
export type GivenSettings = Pick<Settings, "plan" | "daily_neurons"> & Partial<Settings>;

/** One tenant on its way, with what is needed to go on. */
export interface ApplyRow extends ApplyTenant {
  /** As given, or as planned; null: it is to be suspended, and not read yet. */
  readonly settings: GivenSettings | null;
  readonly tries: number;
  readonly entry: string | null;
}

type TenantRow = {
  tenant: string;
  part: number;
  stage: Stage;
  settings: string | null;
  action: ApplyTenant["action"];
  changes: string | null;
  version: number | null;
  warnings: string | null;
  failure: string | null;
  tries: number;
  entry: string | null;
};

/** Tenants of applies, each where it is. */
export class ApplyTenantStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  add(apply: number, tenant: string, part: number, settings: GivenSettings | null): void {
    this.#db.run(
      `INSERT INTO apply_tenants (apply, tenant, part, stage, settings)
        VALUES (?, ?, ?, 'stored', ?) ON CONFLICT (apply, tenant) DO NOTHING`,
      apply,
      tenant,
      part,
      settings === null ? null : JSON.stringify(settings),
    );
  }

  /** Those of the tenants that the apply has, with the part that names each. */
  among(apply: number, tenants: readonly string[]): Map<string, number> {
    const rows = this.#db.run<{ tenant: string; part: number }>(
      `SELECT tenant, part FROM apply_tenants
        WHERE apply = ? AND tenant IN (SELECT value FROM json_each(?)) ORDER BY tenant`,
      apply,
      JSON.stringify(tenants),
    );
    return new Map(rows.map(({ tenant, part }) => [tenant, part]));
  }

  /** By id, after one of them. */
  list(apply: number, after: string, limit: number): ApplyRow[] {
    return this.#db
      .run<TenantRow>(
        "SELECT * FROM apply_tenants WHERE apply = ? AND tenant > ? ORDER BY tenant LIMIT ?",
        apply,
        after,
        limit,
      )
      .map(toRow);
  }

  /** The same of one stage. */
  listStage(apply: number, stage: Stage, after: string, limit: number): ApplyRow[] {
    return this.#db
      .run<TenantRow>(
        `SELECT * FROM apply_tenants WHERE apply = ? AND stage = ? AND tenant > ?
          ORDER BY tenant LIMIT ?`,
        apply,
        stage,
        after,
        limit,
      )
      .map(toRow);
  }

  /** An unchanged tenant needs no settings any more. */
  writePlan(apply: number, plan: TenantPlan, warnings: ApplyTenant["warnings"]): void {
    const { tenant, action, changes, version, settings } = plan;
    const isDue = action !== "unchanged";
    this.#db.run(
      `UPDATE apply_tenants SET stage = ?, settings = ?, action = ?, changes = ?, version = ?,
        warnings = ?, tries = 0 WHERE apply = ? AND tenant = ?`,
      isDue ? "planned" : "unchanged",
      isDue ? JSON.stringify(settings) : null,
      action,
      JSON.stringify(changes),
      version,
      warnings.length === 0 ? null : JSON.stringify(warnings),
      apply,
      tenant,
    );
  }

  /** @param entry its id in the account's log */
  begin(apply: number, tenant: string, entry: string): void {
    this.#db.run(
      "UPDATE apply_tenants SET stage = 'acting', entry = ? WHERE apply = ? AND tenant = ?",
      entry,
      apply,
      tenant,
    );
  }

  end(apply: number, tenant: string, failure: string | null): void {
    this.#db.run(
      `UPDATE apply_tenants SET stage = ?, failure = ?, settings = NULL
        WHERE apply = ? AND tenant = ?`,
      failure === null ? "done" : "failed",
      failure,
      apply,
      tenant,
    );
  }

  countTry(apply: number, tenant: string): void {
    this.#db.run(
      "UPDATE apply_tenants SET tries = tries + 1 WHERE apply = ? AND tenant = ?",
      apply,
      tenant,
    );
  }

  /** It was to be suspended, and is no more. */
  remove(apply: number, tenant: string): void {
    this.#db.run("DELETE FROM apply_tenants WHERE apply = ? AND tenant = ?", apply, tenant);
  }

  /** Returns whether any may be left. */
  erase(apply: number, most: number): boolean {
    this.#db.run(
      `DELETE FROM apply_tenants WHERE apply = ? AND tenant IN
        (SELECT tenant FROM apply_tenants WHERE apply = ? ORDER BY tenant LIMIT ?)`,
      apply,
      apply,
      most,
    );
    const left = this.#db.run("SELECT 1 FROM apply_tenants WHERE apply = ? LIMIT 1", apply);
    return left.length > 0;
  }
}

const toRow = (row: TenantRow): ApplyRow => ({
  tenant: row.tenant,
  part: row.part,
  stage: row.stage,
  settings: row.settings === null ? null : (JSON.parse(row.settings) as GivenSettings),
  action: row.action,
  changes: row.changes === null ? [] : (JSON.parse(row.changes) as ApplyTenant["changes"]),
  version: row.version,
  warnings: row.warnings === null ? [] : (JSON.parse(row.warnings) as ApplyTenant["warnings"]),
  failure: row.failure,
  tries: row.tries,
  entry: row.entry,
});
