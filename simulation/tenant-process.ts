import type { AccountAnswer, AccountMessage } from "../durable-objects/account/account-protocol.ts";
import { type Database, type Feature, StagedDatabase } from "../durable-objects/database.ts";
import type { ContentHashes } from "../durable-objects/tenant/calls/governed-calls.ts";
import { TENANT_FEATURES, TENANT_SCHEMA } from "../durable-objects/tenant/features.ts";
import type { Platform } from "../src/domain/tenant/platform.ts";
import { type TenantHost, TenantNode } from "../durable-objects/tenant/tenant-node.ts";
import { POLICY_OPERATIONS } from "../durable-objects/tenant/policies/policies.ts";
import { defaultPolicy } from "../src/domain/moderation/presets.ts";
import { ZERO } from "../src/domain/ledger/micro-neurons.ts";
import { withDefaults } from "../src/domain/tenant/settings.ts";
import { Crashed, type CrashingDatabase } from "./crashing-database.ts";
import { answerFreely } from "./generous-account.ts";
import { PLATFORM, START_MS } from "./simulated-tenant.ts";

// The process of a tenant's object: its real node over a database that crashes. A process that died
// leaves only what was committed: whatever still runs of it can neither read nor write any more.

/** Thrown by a process that is gone. */
export const gone = (): Error => new Error("the process is gone");

/** Whether something failed because its process has died, or died with it. */
export const isCrash = (error: unknown): boolean =>
  error instanceof Crashed || (error instanceof Error && error.message === gone().message);

/** What a process may use of the world. */
export interface Surroundings {
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Asks the account. */
  readonly send: (message: AccountMessage) => Promise<AccountAnswer>;
  readonly platform?: Partial<Platform>;
  /** At the end of each transaction, before its commit. */
  readonly beforeCommit?: (node: TenantNode) => void;
}

export class TenantProcess {
  readonly db: CrashingDatabase;
  readonly #around: Surroundings;
  /** How often it was started. */
  starts = 0;
  #node: TenantNode;

  constructor(db: CrashingDatabase, around: Surroundings) {
    this.db = db;
    this.#around = around;
    this.#node = this.#started();
  }

  /** Of the process that runs now. */
  get node(): TenantNode {
    return this.#node;
  }

  restart(): void {
    this.#node = this.#started();
  }

  #started(): TenantNode {
    this.starts += 1;
    const node: TenantNode = new TenantNode(this.#host(() => node));
    return node;
  }

  #host(own: () => TenantNode): TenantHost {
    const { wallMs, sleep, send, platform } = this.#around;
    const { starts } = this;
    return {
      database: this.#database(starts, own),
      wallMs,
      sleep,
      // The world rings when it likes.
      alarm: { read: () => Promise.resolve(null), set: () => Promise.resolve() },
      deleteAll: () => Promise.reject(new Error("no history deletes its tenant")),
      platform: { ...PLATFORM, ...platform },
      features: TENANT_FEATURES,
      hashes: PLAIN_HASHES,
      // No history has endpoints.
      delivery: {
        wallMs,
        attempt: () => Promise.reject(new Error("there is no endpoint")),
        random: () => 0,
        timer: () => () => undefined,
      },
      outside: {
        account: () => ({ ask: send, report: () => Promise.resolve() }),
        bucket: nothing,
        session: () => ({ erase: () => Promise.resolve(true) }),
        vectors: nothing,
        batches: nothing,
        pipelines: nothing,
        queue: nothing,
        clearReports: () => Promise.resolve(null),
        usersADay: () => 1000,
        waitUntil: (work) => void work.catch(() => undefined),
        report: (event, error) => {
          // A message that was lost is asked again, and a crash is no bug of the code.
          if (event !== "account_unreachable" && !isCrash(error)) throw error;
        },
      },
    };
  }

  /** Dies with its process; a crash starts the next one. */
  #database(start: number, own: () => TenantNode): Database {
    const { db } = this;
    const alive = (): CrashingDatabase => {
      if (this.starts !== start) throw gone();
      return db;
    };
    return {
      run: (statement, ...values) => alive().run(statement, ...values),
      transaction: (work) => {
        try {
          return alive().transaction(() => {
            const result = work();
            this.#around.beforeCommit?.(own());
            return result;
          });
        } catch (error) {
          if (error instanceof Crashed && error.when !== "commit_fails") this.restart();
          throw error;
        }
      },
      sync: () => Promise.resolve(),
      size: () => alive().size(),
    };
  }
}

const nothing = () => null;

/** Contents are their own hashes: real ones would come in an order that no seed decides. */
const PLAIN_HASHES: ContentHashes = {
  keyed: (verdicts) => Promise.resolve([...verdicts]),
  keyedDigests: (digests) => Promise.resolve([...digests]),
};

/**
 * Schema, settings and policy of a tenant, made once for all histories.
 *
 * @param tables made now; otherwise each feature makes its own in a history, with its first row
 */
export async function prepareTenant(
  db: CrashingDatabase,
  {
    id = "simulated",
    tables = [],
  }: { readonly id?: string | undefined; readonly tables?: readonly Feature[] },
): Promise<void> {
  const { node } = new TenantProcess(db, {
    wallMs: () => START_MS,
    sleep: () => Promise.resolve(),
    send: (message) => Promise.resolve(answerFreely(message, START_MS)),
  });
  const settings = withDefaults({ plan: "free", daily_neurons: 2 });
  await node.configure({
    birth: birthOf(id),
    change: { kind: "replace", settings },
    ifMatch: null,
  });
  // Equal contents are answered with the verdict that there is, for a while.
  const policy = { ...defaultPolicy("embedded"), reuse_ttl_s: 60 };
  const caller = { kind: "platform" } as const;
  POLICY_OPERATIONS.putPolicy(node, caller, { name: "default", policy, expected: null });
  const staged = new StagedDatabase(db, TENANT_SCHEMA);
  for (const feature of tables) staged.ensure(feature);
}

export const birthOf = (id: string) => ({
  id,
  generation: 1,
  carried: { day: 0, posted: ZERO },
  contentSecret: "00",
});
