import { AccountNode, type TenantStub } from "../durable-objects/account/account-node.ts";
import type { AccountAnswer, AccountMessage } from "../durable-objects/account/account-protocol.ts";
import { ACCOUNT_MIGRATIONS } from "../durable-objects/account/account-schema.ts";
import type { PoolTenant } from "../durable-objects/account/pool/pool.ts";
import { TenantStore } from "../durable-objects/account/tenants/tenant-store.ts";
import { type Database, migrate } from "../durable-objects/database.ts";
import { Outbox } from "../durable-objects/outbox/outbox.ts";
import { createWebhook } from "../durable-objects/outbox/webhooks.ts";
import { ZERO } from "../src/domain/ledger/micro-neurons.ts";
import { Crashed, type CrashingDatabase } from "./crashing-database.ts";
import type { Surroundings } from "./pool-tenant.ts";
import { gone } from "./tenant-process.ts";
import { START_MS } from "./simulated-tenant.ts";

// The account's object of a simulation: the node that the object runs, in a process that crashes.

/** An event of the platform's feed, and the last notice before it that gave relief. */
export interface SeenEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly relief: number;
}

/** In the transaction that records the event: a crash keeps both, or none. */
const SEEN_EVENTS: readonly string[] = [
  "CREATE TABLE seen_events (id TEXT PRIMARY KEY, type TEXT, data TEXT, relief INTEGER)",
  `CREATE TRIGGER see_event AFTER INSERT ON events BEGIN
    INSERT INTO seen_events
      VALUES (new.id, new.type, new.data, (SELECT relief FROM pool_state));
  END`,
];

/** Tables, tenants and an endpoint, made once for all histories. */
export function prepareAccount(db: CrashingDatabase, tenants: readonly string[]): void {
  migrate(db, ACCOUNT_MIGRATIONS);
  const store = new TenantStore(db);
  const carried = { day: 0, posted: ZERO };
  for (const id of tenants) {
    store.writeTenant({ id, generation: 1, state: "active", carried }, START_MS);
  }
  // Its events are recorded and not delivered.
  const disabled = {
    id: "whk_simulated",
    secret: "whsec_",
    url: "https://example.com",
    description: null,
    events: ["account.closed", "account.threshold"],
    ordered: false,
    decisions: null,
    enabled: false,
  } as const;
  createWebhook(new Outbox(db, () => null), disabled, START_MS);
  for (const statement of SEEN_EVENTS) db.run(statement);
}

type Around = Omit<Surroundings, "send"> & { readonly tenant: (id: string) => PoolTenant };

export class SimulatedAccount {
  readonly db: CrashingDatabase;
  readonly #skewMs: number;
  readonly #around: Around;
  /** Processes that were begun: the last one lives. */
  #begun = 0;
  #node: AccountNode;

  constructor(db: CrashingDatabase, skewMs: number, around: Around) {
    this.db = db;
    this.#skewMs = skewMs;
    this.#around = around;
    this.#node = this.#started();
  }

  restart(): void {
    this.#node = this.#started();
  }

  get wallMs(): number {
    return this.#around.nowMs() + this.#skewMs;
  }

  get plan(): Surroundings["plan"] {
    return this.#around.plan;
  }

  get pool(): AccountNode["pool"] {
    return this.#node.pool;
  }

  async ask(message: AccountMessage): Promise<AccountAnswer> {
    return structuredClone(await this.#node.pool.answer(message));
  }

  alarm(): Promise<void> {
    return this.#node.alarm();
  }

  /** In their order. */
  events(): readonly SeenEvent[] {
    return this.db
      .run<{ type: string; data: string; relief: number }>(
        "SELECT type, data, relief FROM seen_events ORDER BY id",
      )
      .map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) as SeenEvent["data"] }));
  }

  #started(): AccountNode {
    for (;;) {
      try {
        return this.#process();
      } catch (error) {
        // A process that crashes while it starts is started once more.
        if (!(error instanceof Crashed)) throw error;
      }
    }
  }

  #process(): AccountNode {
    const { nowMs: _, plan, sleep, tenant } = this.#around;
    this.#begun += 1;
    const own = this.#begun;
    let isUp = false;
    const mustLive = (): void => {
      if (own !== this.#begun) throw gone();
    };
    const db: Database = {
      run: (statement, ...values) => {
        mustLive();
        return this.db.run(statement, ...values);
      },
      transaction: (work) => {
        mustLive();
        try {
          return this.db.transaction(work);
        } catch (error) {
          const isOver = error instanceof Crashed && error.when !== "commit_fails";
          if (isOver && isUp && own === this.#begun) this.restart();
          throw error;
        }
      },
      sync: () => this.db.sync(),
      size: () => this.db.size(),
    };
    const node = new AccountNode({
      db,
      wallMs: () => this.wallMs,
      sleep,
      // The world rings it whenever it likes.
      setAlarm: () => Promise.resolve(),
      tenant: (id) => whole(tenant(id)),
      bucket: () => null,
      useReports: () => Promise.resolve(null),
      deliveries: { attempt: unused, random: () => 0, timer: () => () => undefined },
      platform: { workersPlan: plan },
      report: (_event, error) => {
        throw error;
      },
    });
    isUp = true;
    return node;
  }
}

/** No history makes, ends or checks a tenant, or delivers anything. */
const unused = (): Promise<never> => Promise.reject(new Error("not simulated"));

const whole = (tenant: PoolTenant): TenantStub => ({
  applyAccountView: (view) => tenant.applyAccountView(view),
  giveBack: (generation, day, keep) => tenant.giveBack(generation, day, keep),
  configure: unused,
  close: unused,
  erase: unused,
  check: unused,
});
