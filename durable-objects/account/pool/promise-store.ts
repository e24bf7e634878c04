import type { Promised, PromiseSums } from "../../../src/domain/account/account-terms.ts";
import { type MicroNeurons, microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Plan } from "../../../src/domain/ledger/quota.ts";
import type { Database } from "../../database.ts";

/** What the settings of an active tenant promise it. */
export interface TenantPromise extends Promised {
  readonly tenant: string;
  readonly generation: number;
  /** Of the settings. */
  readonly version: number;
}

type PromiseRow = {
  tenant: string;
  life: number;
  version: number;
  plan: Plan;
  daily: number;
  floor: number;
  suspended: number;
};

export class PromiseStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(tenant: string): TenantPromise | null {
    const [row] = this.#db.run<PromiseRow>(
      `SELECT tenant, life, version, plan, daily, floor, suspended FROM promises
        WHERE tenant = ?`,
      tenant,
    );
    return row === undefined ? null : toPromise(row);
  }

  /** Those of these tenants that are there, in one statement. */
  among(tenants: readonly string[]): TenantPromise[] {
    return this.#db
      .run<PromiseRow>(
        // CROSS: in this order. The other order would read all promises.
        `SELECT tenant, life, version, plan, daily, floor, suspended
          FROM json_each(?) AS asked CROSS JOIN promises ON tenant = asked.value`,
        JSON.stringify(tenants),
      )
      .map(toPromise);
  }

  write({ tenant, generation, version, ...promised }: TenantPromise): void {
    const { plan, daily, floor, suspended } = promised;
    this.#db.run(
      `INSERT OR REPLACE INTO promises (tenant, life, version, plan, daily, floor, suspended, told)
        VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
      tenant,
      generation,
      version,
      plan,
      daily,
      floor,
      suspended ? 1 : 0,
    );
  }

  remove(tenant: string): void {
    this.#db.run("DELETE FROM promises WHERE tenant = ?", tenant);
  }

  /** As `promiseSums` adds them up, and how many there are. */
  sums(): PromiseSums & { readonly tenants: number } {
    const [row] = this.#db.run<{ tenants: number; floors: number; promised: number }>(
      `SELECT COUNT(*) AS tenants, IFNULL(SUM(IIF(suspended = 1, 0, floor)), 0) AS floors,
        IFNULL(SUM(IIF(suspended = 1, 0, IIF(plan = 'free', MAX(daily, floor), floor))), 0)
          AS promised
        FROM promises`,
    );
    return row ?? { tenants: 0, floors: 0, promised: 0 };
  }

  /** The floors of tenants that have one. */
  floors(): (readonly [tenant: string, floor: MicroNeurons])[] {
    return this.#db
      .run<PromiseRow>("SELECT tenant, floor FROM promises WHERE floor > 0 AND suspended = 0")
      .map(({ tenant, floor }) => [tenant, microNeurons(floor)] as const);
  }
}

const toPromise = ({ life, ...row }: PromiseRow): TenantPromise => ({
  ...row,
  generation: life,
  daily: microNeurons(row.daily),
  floor: microNeurons(row.floor),
  suspended: row.suspended === 1,
});
