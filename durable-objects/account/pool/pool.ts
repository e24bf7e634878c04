import type {
  AccountPatch,
  Promised,
  PromiseSums,
} from "../../../src/domain/account/account-terms.ts";
import type { Warning } from "../../../src/domain/account/account-warnings.ts";
import type { PoolOverview } from "../../../src/domain/account/pool-overview.ts";
import { type MicroNeurons, microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Plan } from "../../../src/domain/ledger/quota.ts";
import type { PlannedPromise } from "../../../src/domain/tenant/state-plan.ts";
import type { AccountContext, AccountFeature } from "../account-feature.ts";
import type { AccountAnswer, AccountMessage, AccountView, DaySpent } from "../account-protocol.ts";
import { callEach, type CallLimits } from "../call-each.ts";
import type { TenantStore } from "../tenants/tenant-store.ts";
import type { RecordPoolEvent } from "./day-closing.ts";
import { DeniedStore } from "./denied-store.ts";
import { PoolAllocator } from "./pool-allocator.ts";
import { PoolCache } from "./pool-cache.ts";
import type { Recall } from "./pool-recalls.ts";
import { PoolStore } from "./pool-store.ts";

/** An object answers in milliseconds. The alarm calls one that does not again. */
const LIMITS: CallLimits = { atOnce: 50, eachMs: 3000, allMs: 10_000 };

/** How long a tenant waits for others to give back what it needs. */
const RECALL_WAIT_MS = 1_000;

/** A tenant's object, as far as this is concerned. */
export interface PoolTenant {
  /** False: not taken, and to be sent again. */
  applyAccountView(view: AccountView): Promise<boolean>;
  /** @param keep so much of what it does not use it may keep, if it is busy */
  giveBack(generation: number, day: Day, keep: MicroNeurons): Promise<void>;
}

interface Around {
  readonly plan: Plan;
  readonly tenants: TenantStore;
  readonly tenant: (id: string) => PoolTenant;
  readonly record: RecordPoolEvent;
}

/**
 * The neurons and rates that all tenants share, with what each was promised. The alarm makes two kinds of
 * calls by itself: calls are possible again, to tenants that were denied some; and others need what a
 * tenant has leased and does not use. A call that fails is made again by a later alarm.
 */
export class Pool implements AccountFeature {
  readonly name = "pool";
  readonly cache: PoolCache;
  readonly #context: AccountContext;
  readonly #around: Around;
  readonly #allocator: PoolAllocator;

  constructor(context: AccountContext, around: Around) {
    const { db } = context;
    this.#context = context;
    this.#around = around;
    this.cache = new PoolCache(new PoolStore(db), around.plan);
    this.#allocator = new PoolAllocator(this.cache, new DeniedStore(db), around.record);
  }

  /**
   * Answers a tenant's message. If it would be refused for what others do not use, they are called first,
   * so that its call need not come again. A tenant that gives back asks for nothing in the same message:
   * so no two of these wait for each other. Can be repeated: messages of a day are numbered.
   */
  async answer(message: AccountMessage): Promise<AccountAnswer> {
    const { transact, sleep, armBy } = this.#context;
    if (!this.#isActive(message)) return OVER;
    const recalls = transact((nowMs) => this.#allocator.recallsBefore(message, nowMs));
    if (recalls.length > 0) {
      await Promise.race([this.#callBack(recalls), sleep(RECALL_WAIT_MS)]);
      // It may have ended while others were called.
      if (!this.#isActive(message)) return OVER;
    }
    const answer = transact((nowMs) => this.#allocator.ask(message, nowMs));
    await armBy(transact((nowMs) => this.dueMs(nowMs)));
    return answer;
  }

  #isActive({ tenant, generation }: AccountMessage): boolean {
    return this.#around.tenants.isActive(tenant, generation);
  }

  /** Writes down what a tenant's settings promise it; returns warnings about all promises. */
  promise(
    tenant: string,
    generation: number,
    promised: Promised & { readonly version: number },
  ): readonly Warning[] {
    return this.#context.transact((nowMs) => {
      if (this.#around.tenants.isActive(tenant, generation)) {
        this.#allocator.promise(tenant, generation, promised);
      }
      return this.#allocator.warnings(nowMs);
    });
  }

  /** Warnings about all promises once these tenants have theirs. */
  warningsWith(planned: readonly PlannedPromise[]): readonly Warning[] {
    return this.#context.transact((nowMs) =>
      this.#allocator.warnings(nowMs, this.#allocator.change(planned)),
    );
  }

  /** What some tenants of a plan add to all promises: of a plan too large for one message. */
  plannedChange(planned: readonly PlannedPromise[]): PromiseSums {
    return this.#context.transact(() => this.#allocator.change(planned));
  }

  /** As `warningsWith`, of the sum of such changes. */
  warningsOf(change: PromiseSums): readonly Warning[] {
    return this.#context.transact((nowMs) => this.#allocator.warnings(nowMs, change));
  }

  read(): PoolOverview {
    return this.#context.transact((nowMs) => this.#allocator.overview(nowMs));
  }

  async patch(patch: AccountPatch): Promise<PoolOverview> {
    await this.#context.change((nowMs) => this.#allocator.patch(patch, nowMs));
    return this.read();
  }

  /** As measured by reconciliation: so much of the pool is granted to nobody. */
  setSafetyMargin(margin: MicroNeurons): void {
    this.#context.transact(() => this.#allocator.setMeasuredMargin(microNeurons(margin)));
  }

  /** Lifts the closure of the day. Returns how many tenants know of it: the alarm calls them. */
  reopen(): Promise<number> {
    return this.#context.change((nowMs) => this.#allocator.reopen(nowMs));
  }

  /** Inside a transaction: a generation has ended. What it spent stays spent, the rest is free. */
  endGeneration(
    tenant: string,
    generation: number,
    days: readonly DaySpent[],
    nowMs: number,
  ): void {
    this.#allocator.endGeneration(tenant, generation, days, nowMs);
  }

  forget(): void {
    this.cache.forget();
  }

  purge(nowMs: number): void {
    this.#allocator.purge(nowMs);
  }

  dueMs(nowMs: number): number | null {
    return this.#allocator.dueMs(nowMs);
  }

  async tend(): Promise<void> {
    await Promise.all([this.#notifyDenied(), this.#recallLeases()]);
  }

  /** Calls the next few tenants that were denied something, and may have it now. */
  async #notifyDenied(): Promise<void> {
    const { transact } = this.#context;
    const { view, tenants } = transact((nowMs) => this.#allocator.nextToNotify(nowMs));
    const notify = async (id: string): Promise<void> => {
      if (!(await this.#around.tenant(id).applyAccountView(view))) return;
      transact(() => this.#allocator.confirmNotified(id, view));
    };
    await callEach(tenants, notify, LIMITS);
  }

  /** Calls back leases that others wait for. */
  async #recallLeases(): Promise<void> {
    await this.#callBack(this.#context.transact((nowMs) => this.#allocator.toRecall(nowMs)));
  }

  /** A tenant that gives back says so in a message of its own, before this resolves. */
  async #callBack(recalls: readonly Recall[]): Promise<void> {
    const giveBack = ({ tenant, generation, day, keep }: Recall) =>
      this.#around.tenant(tenant).giveBack(generation, day, keep);
    await callEach(recalls, giveBack, LIMITS);
  }
}

const OVER: AccountAnswer = { kind: "over" };
