import type { Feature } from "../durable-objects/database.ts";
import { CrashingDatabase } from "./crashing-database.ts";
import { prepareAccount } from "./simulated-account.ts";
import { prepareTenant } from "./tenant-process.ts";

// The databases in which histories of an account and its tenants are played.

export const NAMES = ["tenant-a", "tenant-b", "tenant-c"] as const;

/** The databases of all histories. Their schemas are made once. */
export class PoolStage {
  readonly account = new CrashingDatabase();
  readonly tenants = NAMES.map(() => new CrashingDatabase());
  readonly #tables: readonly Feature[];

  /** @param tables of the tenants, made ahead */
  constructor(tables: readonly Feature[]) {
    this.#tables = tables;
  }

  async prepare(): Promise<void> {
    prepareAccount(this.account, NAMES);
    await Promise.all(
      this.tenants.map((db, at) => prepareTenant(db, { id: NAMES[at], tables: this.#tables })),
    );
  }

  begin(): void {
    for (const db of [this.account, ...this.tenants]) db.beginHistory();
  }

  forget(): void {
    for (const db of [this.account, ...this.tenants]) db.forgetHistory();
  }
}
