import { DurableObject } from "cloudflare:workers";
import {
  type ApplyTenant,
  isOpen,
  MOST_PARTS,
  type Stage,
  type StateApply,
  type ApplyView,
} from "../../src/domain/tenant/state-apply.ts";
import type { Platform } from "../../src/domain/tenant/platform.ts";
import { isTransient } from "../../src/io/object-error.ts";
import { ACCOUNT_NAME } from "../account/account-protocol.ts";
import { type Database, migrate, objectDatabase } from "../database.ts";
import { newUlid } from "../outbox/event-id.ts";
import { failureReporter } from "../report-failure.ts";
import { actSlice } from "./act-slice.ts";
import { type ApplyDeps, giveWayToOthers } from "./apply-deps.ts";
import { APPLY_MIGRATIONS } from "./apply-schema.ts";
import { ApplyStore } from "./apply-store.ts";
import type { ApplyRow } from "./apply-tenant-store.ts";
import { planSlice } from "./plan-slice.ts";
import {
  cancelApply,
  expireApplies,
  type PartToStore,
  storePart,
  type StoredPart,
} from "./store-part.ts";

/** When a slice is taken up again that a crash, or an object that did not answer, cut short. */
const RESUME_AFTER_MS = 5_000;

/** An alarm that should have rung so long ago does not ring any more. */
const LOST_AFTER_MS = 60_000;

/** Rows erased in one alarm. */
const MOST_ERASED = 2_000;

/** Failures that are shown with an apply; the rest is in the list of its tenants. */
const SOME_FAILURES = 20;

/**
 * Documents of any size, applied in parts. They are stored here, so that the account's object has none of
 * their work: the alarm goes through them, a slice at a time, and after a crash goes on where it was.
 */
export class StateApplies extends DurableObject<Env> {
  readonly #db: Database;
  readonly #store: ApplyStore;
  readonly #platform: Platform;
  readonly #deps: ApplyDeps;
  #isRunning = false;

  constructor(ctx: DurableObjectState, env: Env, platform: (env: Env) => Platform) {
    super(ctx, env);
    this.#db = objectDatabase(ctx.storage);
    migrate(this.#db, APPLY_MIGRATIONS);
    this.#store = new ApplyStore(this.#db);
    this.#platform = platform(env);
    this.#deps = {
      store: this.#store,
      account: () => this.env.ACCOUNT.getByName(ACCOUNT_NAME),
      tenant: (id) => this.env.TENANT.getByName(id),
      transact: (work) => this.#transact(work),
      newEntryId: () => `evt_${newUlid(Date.now())}`,
      accountPlan: this.#platform.workersPlan,
      giveWay: () => giveWayToOthers(sleep),
      report: (error) => reportFailure("apply_act_failed", error),
    };
  }

  /** Can be repeated: a part that is stored changes nothing. The last one starts the run. */
  async storePart(
    sent: PartToStore,
  ): Promise<Exclude<StoredPart, { kind: "stored" }> | ({ kind: "stored" } & ApplyView)> {
    const stored = this.#transact((nowMs) => {
      expireApplies(this.#store, nowMs);
      return storePart(this.#store, sent, { nowMs, isFull: this.#isFull() });
    });
    await this.#arm();
    if (stored.kind !== "stored") return stored;
    return { kind: "stored", ...this.#viewOf(stored.apply) };
  }

  /** Null: there is none of this id, or none any more. */
  async readApply(id: string): Promise<ApplyView | null> {
    const apply = this.#read(id);
    if (apply === null) return null;
    // A read sets the alarm again, should it be lost.
    const alarmMs = await this.ctx.storage.getAlarm();
    if (alarmMs === null || alarmMs < Date.now() - LOST_AFTER_MS) await this.#arm();
    return this.#viewOf(apply);
  }

  /** By id, after one of them. @param stage null: all */
  listTenants(
    id: string,
    { stage, after, limit }: { stage: Stage | null; after: string; limit: number },
  ): { readonly rows: readonly ApplyTenant[]; readonly more: boolean } | null {
    const apply = this.#read(id);
    if (apply === null) return null;
    const rows =
      stage === null
        ? this.#store.tenants.list(apply.number, after, limit + 1)
        : this.#store.tenants.listStage(apply.number, stage, after, limit + 1);
    return { rows: rows.slice(0, limit).map(toTenant), more: rows.length > limit };
  }

  /** Changes that were made stay. False: there is no such apply. */
  async cancel(id: string): Promise<boolean> {
    const apply = this.#transact((nowMs) => {
      expireApplies(this.#store, nowMs);
      return cancelApply(this.#store, id, nowMs);
    });
    await this.#arm();
    return apply !== null;
  }

  override async alarm(): Promise<void> {
    // Whatever happens from here on, it rings again.
    await this.ctx.storage.setAlarm(Date.now() + RESUME_AFTER_MS);
    this.#isRunning = true;
    try {
      this.#transact((nowMs) => {
        expireApplies(this.#store, nowMs);
        this.#store.erase(MOST_ERASED);
      });
      const apply = this.#running();
      if (apply !== null && apply.dueAtMs <= Date.now()) await this.#slice(apply);
    } finally {
      this.#isRunning = false;
    }
    await this.#arm();
  }

  /** The next slice does what this one could not, such as when an object does not answer. */
  async #slice(apply: StateApply): Promise<void> {
    try {
      await (apply.state === "planning" ? planSlice : actSlice)(this.#deps, apply);
    } catch (error) {
      if (!isTransient(error)) reportFailure("apply_slice_failed", error);
      this.#transact((nowMs) => {
        const now = this.#store.readNumber(apply.number);
        if (now !== null) this.#store.write({ ...now, dueAtMs: nowMs + RESUME_AFTER_MS });
      });
    }
  }

  /** The oldest that is whole: of two documents the later one has the last word. */
  #running(): StateApply | null {
    const running = this.#store
      .list()
      .filter(({ state }) => isOpen(state) && state !== "collecting")
      .toSorted((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0) || a.number - b.number);
    return running[0] ?? null;
  }

  async #arm(): Promise<void> {
    // A slice sets it for itself when it is done.
    if (this.#isRunning) return;
    const nowMs = Date.now();
    const due = this.#store.list().map(({ expiresAtMs }) => expiresAtMs);
    const running = this.#running();
    if (running !== null) due.push(Math.max(nowMs, running.dueAtMs));
    if (this.#store.hasForgotten()) due.push(nowMs);
    if (due.length === 0) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(Math.min(...due));
  }

  #read(id: string): StateApply | null {
    const apply = this.#store.read(id);
    return apply === null || apply.expiresAtMs <= Date.now() ? null : apply;
  }

  #viewOf(apply: StateApply): ApplyView {
    const there = this.#store.senders(apply.number);
    const missing = Array.from({ length: Math.min(apply.parts, MOST_PARTS) }, (_, at) => at + 1);
    const failed = this.#store.tenants.listStage(apply.number, "failed", "", SOME_FAILURES);
    return {
      apply,
      missing: missing.filter((part) => !there.has(part)),
      failures: failed.map(({ tenant, failure }) => ({ tenant, failure })),
    };
  }

  /** A part has a megabyte, and its rows somewhat more. */
  #isFull(): boolean {
    return this.#db.size() > 0.8 * this.#platform.storageLimit;
  }

  #transact<Result>(work: (nowMs: number) => Result): Result {
    return this.#db.transaction(() => work(Date.now()));
  }
}

/** Without what only the run needs. */
const toTenant = ({ settings: _s, tries: _t, entry: _e, ...tenant }: ApplyRow): ApplyTenant =>
  tenant;

const sleep = (ms: number): Promise<void> => scheduler.wait(ms);

const reportFailure = failureReporter("applies");
