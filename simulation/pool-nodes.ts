import type { PoolEvent } from "../durable-objects/account/pool/day-closing.ts";
import { DeniedStore } from "../durable-objects/account/pool/denied-store.ts";
import { PoolCache } from "../durable-objects/account/pool/pool-cache.ts";
import { PoolAllocator } from "../durable-objects/account/pool/pool-allocator.ts";
import { PoolStore } from "../durable-objects/account/pool/pool-store.ts";
import {
  answerMessage,
  recallLeases,
  notifyDenied,
  type TenantStub,
} from "../durable-objects/account/pool/pool.ts";
import type { AccountAnswer, AccountMessage } from "../durable-objects/account/account-protocol.ts";
import {
  AccountClient,
  applyAccountView,
} from "../durable-objects/tenant/account/account-client.ts";
import { type Admission, admit } from "../durable-objects/tenant/calls/admit.ts";
import { openStores, type TenantStores } from "../durable-objects/tenant/stores.ts";
import type {
  AdmitReply,
  ModerationAdmit,
  SettleRequest,
} from "../durable-objects/tenant/protocol.ts";
import { settle } from "../durable-objects/tenant/calls/settle.ts";
import { Transactions, type Tx } from "../durable-objects/tenant/transactions.ts";
import type { MicroNeurons } from "../src/domain/ledger/micro-neurons.ts";
import { Crashed, type CrashingDatabase } from "./crashing-database.ts";
import { PLATFORM } from "./simulated-tenant.ts";

type Plan = "free" | "paid";

// The objects of a simulated account, real but for their shells. What a process had in memory is gone
// with it: whatever still runs of it can neither read nor write any more.

/** Thrown to whoever asks a process that is gone. */
const gone = () => new Error("the process is gone");

/** What a node may use of the world. */
export interface Surroundings {
  readonly nowMs: () => number;
  readonly send: (ask: AccountMessage) => Promise<AccountAnswer>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Of the Cloudflare account: on the paid one neurons are shared out only while there is a cap. */
  readonly plan: Plan;
}

export class TenantNode implements TenantStub {
  readonly id: string;
  readonly db: CrashingDatabase;
  readonly #skewMs: number;
  readonly #around: Surroundings;
  /** Calls that it admitted without a lease, and when: it had not heard of a pool. */
  readonly unleased = new Map<string, number>();
  /** How often its process was started. */
  starts = 0;
  #process: {
    readonly stores: TenantStores;
    readonly transactions: Transactions;
    readonly client: AccountClient;
  };

  constructor(id: string, db: CrashingDatabase, skewMs: number, around: Surroundings) {
    this.id = id;
    this.db = db;
    this.#skewMs = skewMs;
    this.#around = around;
    this.#process = this.#started();
  }

  restart(): void {
    this.#process = this.#started();
  }

  get stores(): TenantStores {
    return this.#process.stores;
  }

  /** As the object's shell does it. */
  async admit(request: ModerationAdmit): Promise<AdmitReply> {
    const { client } = this.#process;
    for (let round = 0; round < 20; round += 1) {
      const reply = this.step((tx) => this.#admit(tx, request));
      if (reply.kind !== "needs_lease") return reply;
      // oxlint-disable-next-line no-await-in-loop -- once more when the account was asked
      if (!(await client.cover(reply.missing))) break;
      if (client !== this.#process.client) throw gone();
    }
    return { kind: "unavailable" };
  }

  #admit(tx: Tx, request: ModerationAdmit): Admission {
    const reply = admit(tx, request);
    const isUnleased = reply.kind === "admitted" && !tx.stores.budget.account.isPooled;
    if (isUnleased) this.unleased.set(request.callId, this.#around.nowMs());
    return reply;
  }

  settle(request: SettleRequest): void {
    this.step((tx) => settle(tx, request));
    if (request.account !== null) void this.#process.client.tellNews();
  }

  /** What the alarm does, as far as the account is concerned. */
  tend(): Promise<void> {
    this.step(() => undefined);
    return this.#process.client.tend();
  }

  applyAccountView(
    view: Parameters<TenantStub["applyAccountView"]>[0],
  ): ReturnType<TenantStub["applyAccountView"]> {
    return Promise.resolve(this.step((tx) => applyAccountView(tx, view)));
  }

  giveBack(generation: number, day: number, keep: MicroNeurons): Promise<void> {
    return this.#process.client.giveBack(generation, day, keep);
  }

  /** One step of the object. Throws `Crashed`; but for a commit that failed the process is a new one then. */
  step<Result>(work: (tx: Tx) => Result): Result {
    const { transactions } = this.#process;
    const profile = transactions.profile();
    if (profile === null) throw new Error("the tenant is gone");
    try {
      return transactions.run(profile, work);
    } catch (error) {
      if (error instanceof Crashed && error.when !== "commit_fails") this.restart();
      throw error;
    }
  }

  get wallMs(): number {
    return this.#around.nowMs() + this.#skewMs;
  }

  #started() {
    this.starts += 1;
    const stores = openStores(this.db, { ...PLATFORM, workersPlan: this.#around.plan });
    const transactions = new Transactions(stores, () => this.wallMs);
    const client: AccountClient = new AccountClient({
      stores,
      step: (work) => {
        if (this.#process.client !== client) throw gone();
        return this.step(work);
      },
      account: () => ({ ask: (ask) => this.#around.send(ask) }),
      wallMs: () => this.wallMs,
      sleep: (ms) => this.#around.sleep(ms),
      report: (_, error) => {
        if (!(error instanceof Error)) throw error;
      },
    });
    return { stores, transactions, client };
  }
}

/** An event of the platform, and the last notice before it that gave relief. */
interface Told {
  readonly event: PoolEvent;
  readonly relief: number;
}

export class AccountNode {
  readonly db: CrashingDatabase;
  /** Events that were committed. */
  readonly events: Told[] = [];
  #drafts: Told[] = [];
  readonly #skewMs: number;
  readonly #around: Omit<Surroundings, "send"> & { readonly tenant: (id: string) => TenantStub };
  #process: { readonly cache: PoolCache; readonly allocator: PoolAllocator };

  constructor(
    db: CrashingDatabase,
    skewMs: number,
    around: Omit<Surroundings, "send"> & { readonly tenant: (id: string) => TenantStub },
  ) {
    this.db = db;
    this.#skewMs = skewMs;
    this.#around = around;
    this.#process = this.#started();
  }

  restart(): void {
    this.#process = this.#started();
  }

  get wallMs(): number {
    return this.#around.nowMs() + this.#skewMs;
  }

  /** As the object does it, which asks other tenants first where that helps. */
  async ask(ask: AccountMessage): Promise<AccountAnswer> {
    return structuredClone(await answerMessage(this.#deps(), ask, () => true));
  }

  get plan(): Plan {
    return this.#around.plan;
  }

  act<Result>(work: (allocator: PoolAllocator, nowMs: number) => Result): Result {
    return this.#transact(this.#process, (nowMs) => work(this.#process.allocator, nowMs));
  }

  /** What the alarm does for the pool. */
  async alarm(): Promise<void> {
    const deps = this.#deps();
    await notifyDenied(deps);
    await recallLeases(deps);
  }

  #deps() {
    const process = this.#process;
    const { sleep, tenant } = this.#around;
    return {
      allocator: process.allocator,
      tenant,
      sleep,
      transact: <Result>(work: (nowMs: number) => Result) => this.#transact(process, work),
    };
  }

  #transact<Result>(
    process: { readonly cache: PoolCache },
    work: (nowMs: number) => Result,
  ): Result {
    if (process !== this.#process) throw gone();
    this.#drafts = [];
    try {
      const result = this.db.transaction(() => work(this.wallMs));
      this.events.push(...this.#drafts);
      return result;
    } catch (error) {
      process.cache.forget();
      if (error instanceof Crashed && error.when === "after_commit") {
        this.events.push(...this.#drafts);
      }
      if (error instanceof Crashed && error.when !== "commit_fails") this.restart();
      throw error;
    }
  }

  #started() {
    const cache = new PoolCache(new PoolStore(this.db), this.#around.plan);
    const tell = (event: PoolEvent) =>
      void this.#drafts.push({ event, relief: cache.state.relief });
    return { cache, allocator: new PoolAllocator(cache, new DeniedStore(this.db), tell) };
  }
}
