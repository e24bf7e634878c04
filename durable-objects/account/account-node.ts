import type { AccountFacts } from "../../src/domain/account/account-facts.ts";
import { type Database, migrate } from "../database.ts";
import type { Platform } from "../../src/domain/tenant/platform.ts";
import { type AccountContext, type AccountFeature, RESUME_AFTER_MS } from "./account-feature.ts";
import { ACCOUNT_MIGRATIONS } from "./account-schema.ts";
import { Audit } from "./audit/audit.ts";
import { type CheckableTenant, Checks } from "./checks/checks.ts";
import { Pool, type PoolTenant } from "./pool/pool.ts";
import { type FileBucket, FileSweeps } from "./tenants/file-sweeps.ts";
import { ReportEnds, type UseEndedReports } from "./tenants/report-ends.ts";
import { type ManagedTenant, Tenants } from "./tenants/tenants.ts";
import { TenantStore } from "./tenants/tenant-store.ts";
import { type DeliveryMeans, PlatformWebhooks } from "./webhooks/platform-webhooks.ts";

/** A tenant's object, as the account calls it. */
export type TenantStub = ManagedTenant & PoolTenant & CheckableTenant;

/** What the account's object runs on: its storage and clock, and ways to reach others. */
export interface AccountSurroundings {
  readonly db: Database;
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Rings once. @param atMs null: not at all */
  readonly setAlarm: (atMs: number | null) => Promise<void>;
  /** A new stub each time: one that threw is broken. */
  readonly tenant: (id: string) => TenantStub;
  /** The bucket of tenants' files; null: this deployment has none. */
  readonly bucket: () => FileBucket | null;
  readonly useReports: UseEndedReports;
  readonly deliveries: DeliveryMeans;
  readonly platform: Pick<Platform, "workersPlan">;
  /** Logs the name of what failed. */
  readonly report: (event: string, error: unknown) => void;
}

/**
 * All that the one `Account` object does, without its shell: the list of tenants, the log of admin acts,
 * the pool that all tenants share, the platform's webhooks. In the course of a call it is needed only for
 * what a tenant's object has not leased yet. The object, the simulation and the fault runs run the same.
 */
export class AccountNode {
  readonly audit: Audit;
  readonly checks: Checks;
  readonly pool: Pool;
  readonly ends: ReportEnds;
  readonly tenants: Tenants;
  readonly webhooks: PlatformWebhooks;
  readonly #around: AccountSurroundings;
  readonly #store: TenantStore;
  readonly #features: readonly AccountFeature[];
  /** The time of the alarm, as far as is known since the object started. */
  #armedMs: number | null = null;

  constructor(around: AccountSurroundings) {
    this.#around = around;
    const { db, platform, tenant } = around;
    migrate(db, ACCOUNT_MIGRATIONS);
    const context = this.#context();
    const store = new TenantStore(db);
    this.#store = store;
    this.webhooks = new PlatformWebhooks(context, around.deliveries);
    this.audit = new Audit(context);
    this.pool = new Pool(context, {
      plan: platform.workersPlan,
      tenants: store,
      tenant,
      record: (event, nowMs) => this.webhooks.record(event, nowMs),
    });
    this.checks = new Checks(context, store, tenant);
    const sweeps = new FileSweeps(context, around.bucket);
    this.ends = new ReportEnds(context, store, around.useReports);
    this.tenants = new Tenants(context, {
      tenants: store,
      pool: this.pool,
      checks: this.checks,
      sweeps,
      ends: this.ends,
      tenant,
    });
    // The order in which the alarm begins with them; then they go on side by side.
    this.#features = [
      // First: calls of tenants wait for it.
      this.pool,
      // It calls tenants' objects, as the pool does, and is bounded by its own slices.
      this.checks,
      // A deletion plans the sweep and the end of the reports: what it plans is run by it at once.
      this.tenants,
      sweeps,
      this.ends,
      // It only deletes what is past its retention.
      this.audit,
      // The alarm waits for deliveries last, when the others have recorded their events.
      this.webhooks,
    ];
  }

  readFacts(): AccountFacts {
    return {
      pool: this.pool.read(),
      tenants: this.#store.countTenants(),
      ...this.webhooks.facts(),
    };
  }

  async alarm(): Promise<void> {
    // First, so that it rings again after a crash.
    await this.#around.setAlarm(this.#around.wallMs() + RESUME_AFTER_MS);
    this.webhooks.wake();
    // Side by side: an object, a bucket or a database that hangs holds up none of the others.
    await Promise.all(this.#features.map(async (feature) => feature.tend?.()));
    this.#transact((nowMs) => this.#features.forEach((feature) => feature.purge?.(nowMs)));
    await this.webhooks.rest();
    await this.#arm();
  }

  /** One alarm, for what is to be done next; none when nothing is. */
  async #arm(): Promise<void> {
    this.webhooks.wakeIfBusy();
    const due = this.#transact((nowMs) =>
      this.#features.flatMap((feature) => feature.dueMs?.(nowMs) ?? []),
    );
    this.#armedMs = due.length === 0 ? null : Math.min(...due);
    await this.#around.setAlarm(this.#armedMs);
  }

  #context(): AccountContext {
    const { db, wallMs, sleep, setAlarm, report } = this.#around;
    return {
      db,
      wallMs,
      sleep,
      report,
      transact: (work) => this.#transact(work),
      change: async (work) => {
        const result = this.#transact(work);
        await this.#arm();
        return result;
      },
      arm: () => this.#arm(),
      armBy: async (dueMs) => {
        if (dueMs === null) return;
        if (this.#armedMs === null || dueMs < this.#armedMs) await this.#arm();
      },
      wakeAt: setAlarm,
    };
  }

  #transact<Result>(work: (nowMs: number) => Result): Result {
    try {
      return this.#around.db.transaction(() => work(this.#around.wallMs()));
    } catch (error) {
      for (const feature of this.#features) feature.forget?.();
      throw error;
    }
  }
}
