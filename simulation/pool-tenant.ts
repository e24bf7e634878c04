import type { PoolTenant } from "../durable-objects/account/pool/pool.ts";
import type {
  AccountAnswer,
  AccountMessage,
  AccountView,
} from "../durable-objects/account/account-protocol.ts";
import { OPERATIONS } from "../durable-objects/tenant/operations.ts";
import type { TenantStores } from "../durable-objects/tenant/stores.ts";
import type { TenantNode } from "../durable-objects/tenant/tenant-node.ts";
import type {
  AdmitReply,
  ModerationAdmit,
  SettleRequest,
} from "../durable-objects/tenant/protocol.ts";
import type { Tx } from "../durable-objects/tenant/transactions.ts";
import type { MicroNeurons } from "../src/domain/ledger/micro-neurons.ts";
import type { Settings } from "../src/domain/tenant/settings.ts";
import type { CrashingDatabase } from "./crashing-database.ts";
import { birthOf, gone, TenantProcess } from "./tenant-process.ts";

type Plan = "free" | "paid";

// The objects of a simulated account, real but for their shells. What a process had in memory is gone
// with it: whatever still runs of it can neither read nor write any more.

/** What a node may use of the world. */
export interface Surroundings {
  readonly nowMs: () => number;
  readonly send: (ask: AccountMessage) => Promise<AccountAnswer>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Of the Cloudflare account: on the paid one neurons are shared out only while there is a cap. */
  readonly plan: Plan;
}

/** A tenant of the account, with a clock of its own. */
export class SimulatedTenant implements PoolTenant {
  readonly id: string;
  readonly #process: TenantProcess;
  readonly #skewMs: number;
  readonly #around: Surroundings;
  /** Calls that it admitted without a lease, and when: it did not know of a pool yet. */
  readonly unleased = new Map<string, number>();
  readonly #unanswered = new Set<string>();

  constructor(id: string, db: CrashingDatabase, skewMs: number, around: Surroundings) {
    this.id = id;
    this.#skewMs = skewMs;
    this.#around = around;
    this.#process = new TenantProcess(db, {
      wallMs: () => this.wallMs,
      sleep: around.sleep,
      send: around.send,
      platform: { workersPlan: around.plan },
      beforeCommit: (node) => this.#noteUnleased(node),
    });
  }

  get db(): CrashingDatabase {
    return this.#process.db;
  }

  get starts(): number {
    return this.#process.starts;
  }

  get stores(): TenantStores {
    return this.#process.node.stores;
  }

  get wallMs(): number {
    return this.#around.nowMs() + this.#skewMs;
  }

  restart(): void {
    this.#process.restart();
  }

  /** At once, but for the alarm. */
  async configure(settings: Settings): Promise<void> {
    const change = { kind: "replace", settings } as const;
    await this.#process.node.configure({ birth: birthOf(this.id), change, ifMatch: null });
  }

  async admit(request: ModerationAdmit): Promise<AdmitReply> {
    const { node } = this.#process;
    this.#unanswered.add(request.callId);
    const reply = await node.calls.admit(request);
    this.#unanswered.delete(request.callId);
    if (node !== this.#process.node) throw gone();
    return reply;
  }

  async settle(request: SettleRequest): Promise<void> {
    await this.#process.node.calls.settle(request);
  }

  alarm(): Promise<void> {
    return this.#process.node.alarm();
  }

  async applyAccountView(view: AccountView): Promise<boolean> {
    return OPERATIONS.applyAccountView(this.#process.node, view);
  }

  giveBack(generation: number, day: number, keep: MicroNeurons): Promise<void> {
    return OPERATIONS.giveBack(this.#process.node, generation, day, keep);
  }

  /** @throws `Crashed`; but for a commit that failed the process is a new one then */
  transact<Result>(work: (tx: Tx) => Result): Result {
    return this.#process.node.transactOrThrow(work);
  }

  #noteUnleased({ stores: { budget, ledger } }: TenantNode): void {
    if (this.#unanswered.size === 0 || budget.account.isPooled) return;
    for (const { callId } of ledger.openHolds()) {
      if (this.#unanswered.delete(callId)) this.unleased.set(callId, this.#around.nowMs());
    }
  }
}
