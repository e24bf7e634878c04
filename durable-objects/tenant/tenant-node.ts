import { deliveriesAMinute } from "../../src/domain/webhooks/delivery.ts";
import { REQUESTS } from "../../src/domain/ledger/rate-limit.ts";
import type { Database } from "../database.ts";
import { WEBHOOKS } from "../outbox/outbox-schema.ts";
import { Dispatcher, type DispatcherOptions } from "../outbox/dispatcher.ts";
import { Watchers } from "../watchers.ts";
import { AccountClient } from "./account/account-client.ts";
import { Alarm, type Capability, type TenantContext, type TenantFeature } from "./feature.ts";
import { type ContentHashes, GovernedCalls } from "./calls/governed-calls.ts";
import {
  type Birth,
  change,
  type Configured,
  create,
  refusedSettings,
  type SettingsChange,
} from "./configure.ts";
import type { Period } from "./ledger/ledger-store.ts";
import type { Outside } from "./outside.ts";
import { notFound } from "./page.ts";
import type { Platform } from "../../src/domain/tenant/platform.ts";
import { NO_VERSION } from "../../src/domain/tenant/settings.ts";
import { Erasures } from "./privacy/erasures.ts";
import type { Profile } from "./profile-store.ts";
import type { Caller } from "./protocol.ts";
import { openStores, type TenantStores } from "./stores.ts";
import { type AccessRefusal, Transactions, type Tx, unknownTenant } from "./transactions.ts";
import { UsageFeed } from "./usage/usage-feed.ts";

/** An alarm that is this late is stuck: a new one is set. */
const STALE_ALARM_MS = 60_000;

/** After an alarm that threw: the platform would give up after six tries of its own. */
const ALARM_RETRY_MS = 30_000;

/** What a tenant's object runs on: the platform's, or a simulation's. */
export interface TenantHost {
  readonly database: Database;
  /** The wall clock, in milliseconds of UTC. */
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly alarm: {
    /** Milliseconds of UTC; null: none is set. */
    readonly read: () => Promise<number | null>;
    readonly set: (atMs: number) => Promise<void>;
  };
  /** Deletes the alarm and everything in the database. */
  readonly deleteAll: () => Promise<void>;
  readonly platform: Platform;
  readonly features: readonly TenantFeature[];
  readonly hashes: ContentHashes;
  /** How messages reach endpoints. */
  readonly delivery: Pick<DispatcherOptions, "wallMs" | "attempt" | "random" | "timer">;
  readonly outside: Outside;
}

/**
 * One tenant: its settings, keys, policies, ledger and verdicts. All that its object does, without the
 * object: a simulation runs the same.
 *
 * A tenant that was never configured has no schema: it answers as unknown and writes nothing, so that no
 * request can bring a tenant into being.
 */
export class TenantNode implements TenantContext {
  readonly stores: TenantStores;
  readonly outside: Outside;
  readonly dispatcher: Dispatcher;
  readonly feed: UsageFeed;
  readonly client: AccountClient;
  readonly erasures: Erasures;
  readonly watchers = new Watchers();
  readonly wallMs: () => number;
  readonly calls: GovernedCalls;
  readonly #host: TenantHost;
  readonly #transactions: Transactions;
  readonly #features: readonly Capability[];
  readonly #alarm: Alarm;
  #known: boolean;
  /** When the alarm is set for; undefined: not looked up since the object started. */
  #alarmMs: number | null | undefined;

  constructor(host: TenantHost) {
    const { outside, wallMs } = host;
    this.#host = host;
    this.outside = outside;
    this.wallMs = wallMs;
    const stores = openStores(host);
    this.stores = stores;
    this.#known = stores.db.open();
    this.#transactions = new Transactions(stores, wallMs, () => this.#features);
    this.dispatcher = new Dispatcher(stores.outbox, {
      ...host.delivery,
      transact: (work) => this.transactOrThrow(({ nowMs }) => work(nowMs)),
      mostAMinute: () => deliveriesAMinute(this.profile()?.settings.rpm[REQUESTS]),
      onRest: () => void this.arm().catch((error: unknown) => outside.report("arm_failed", error)),
      report: (error) => outside.report("delivery_failed", error),
    });
    const { transact, transactIfOpen } = this;
    this.feed = new UsageFeed({ ...outside, stores, transact, wallMs });
    const { account, report } = outside;
    const { sleep } = host;
    this.client = new AccountClient({
      stores,
      transact: transactIfOpen,
      account,
      wallMs,
      sleep,
      report,
    });
    this.erasures = new Erasures(() => this.#features.flatMap(({ personal }) => personal ?? []));
    this.calls = new GovernedCalls(this, host.hashes, () => host.database.sync());
    this.#features = host.features.flatMap(({ capability }) => capability?.(this) ?? []);
    this.#alarm = new Alarm(this.#features, transact);
    // A run of theirs may have been killed with the object before this one.
    const isOpen = stores.batches.open().length + stores.pipelines.open().length > 0;
    if (this.#known && isOpen) outside.waitUntil(this.arm());
  }

  // Transactions

  readonly profile = (): Profile | null => (this.#known ? this.#transactions.profile() : null);

  readonly transact = <Result>(work: (tx: Tx) => Result): Result | null => {
    const profile = this.profile();
    return profile === null ? null : this.#transactions.run(profile, work);
  };

  readonly transactIfOpen = <Result>(work: (tx: Tx) => Result): Result | null =>
    this.profile()?.closed === true ? null : this.transact(work);

  readonly transactOrThrow = <Result>(work: (tx: Tx) => Result): Result => {
    const profile = this.profile();
    if (profile === null) throw new Error("the tenant was erased");
    return this.#transactions.run(profile, work);
  };

  readonly ask = <Result>(caller: Caller, work: (tx: Tx) => Result): Result | AccessRefusal => {
    const profile = this.profile();
    return profile === null ? unknownTenant(caller) : this.#transactions.ask(profile, caller, work);
  };

  readonly write = async <Result>(
    caller: Caller,
    work: (tx: Tx) => Result,
  ): Promise<Result | AccessRefusal> => {
    const result = this.ask(caller, work);
    await this.arm();
    return result;
  };

  readonly writeAtOnce = async <Result>(
    caller: Caller,
    work: (tx: Tx) => Result,
  ): Promise<Result | AccessRefusal> => {
    const result = this.ask(caller, work);
    const profile = this.profile();
    const nowMs = this.wallMs();
    const dueMs = profile === null ? Infinity : this.#alarm.dueMs(profile, nowMs);
    if (this.#mustSet(dueMs, nowMs)) await this.#setAlarm(dueMs);
    return result;
  };

  readonly ofGeneration = <Result>(
    generation: number,
    none: Result,
    work: (tx: Tx) => Result,
  ): Result => {
    const profile = this.profile();
    if (profile === null || profile.closed || profile.generation !== generation) return none;
    return this.#transactions.run(profile, work);
  };

  readonly writeOfGeneration = async <Result>(
    generation: number,
    none: Result,
    work: (tx: Tx) => Result,
  ): Promise<Result> => {
    const result = this.ofGeneration(generation, none, work);
    await this.arm();
    return result;
  };

  // Creation and deletion

  async configure(request: {
    readonly birth: Birth;
    readonly change: SettingsChange;
    readonly ifMatch: number | null;
  }): Promise<Configured | AccessRefusal> {
    const profile = this.profile();
    if (profile?.closed === true) return notFound("tenant");
    if (profile !== null) {
      const changed = change(this.#transactions, profile, request);
      // Rows that are kept for less time from now on are due earlier.
      await this.arm();
      return changed;
    }
    if (request.change.kind === "patch") return notFound("tenant");
    if (request.ifMatch !== null && request.ifMatch !== NO_VERSION) {
      return { kind: "version_conflict", version: NO_VERSION };
    }
    const { settings } = request.change;
    const refused = refusedSettings(settings);
    if (refused !== null) return refused;
    const made = { birth: request.birth, settings, wallMs: this.wallMs() };
    const created = create(this.stores, this.#transactions, made);
    this.#known = true;
    return created;
  }

  readProfile(
    caller: Caller,
  ): { readonly kind: "profile"; readonly profile: Profile } | AccessRefusal {
    return this.ask(caller, ({ profile }) => ({ kind: "profile" as const, profile }));
  }

  /**
   * The first half of a deletion: keys end, nothing is admitted, open holds end. Repeatable.
   *
   * @returns the totals of every day, without persons or content; null when there is nothing
   */
  async close(): Promise<{
    readonly carried: Profile["carried"];
    readonly periods: readonly Period[];
  } | null> {
    const profile = this.profile();
    if (profile === null) return null;
    let more = this.#transactions.run(profile, ({ stores }) => {
      stores.keys.endAll();
      stores.refusals.flush();
      this.#transactions.writeProfile({ ...profile, closed: true });
      return stores.ledger.expireOpen(profile);
    });
    while (more) {
      // oxlint-disable-next-line no-await-in-loop -- one bounded transaction after the other
      await this.#host.database.sync();
      const left = this.transact((tx) => tx.stores.ledger.expireOpen(tx.profile));
      if (left === null) return null;
      more = left;
    }
    const periods = this.stores.journal.listPeriods(0, Number.MAX_SAFE_INTEGER);
    return { carried: profile.carried, periods };
  }

  /** The second half: nothing of the tenant is left here. False: something is left outside of this object. */
  async erase(): Promise<boolean> {
    const profile = this.profile();
    const leaves = this.#features.flatMap(({ leave }) =>
      profile === null ? [] : (leave?.(profile) ?? []),
    );
    if ((await Promise.all(leaves)).includes(false)) return false;
    // First in memory: from now on the tenant is unknown, and no alarm is set.
    this.#known = false;
    this.#transactions.forget();
    this.stores.refusals.clear();
    await this.#host.deleteAll();
    this.stores.db.forget();
    this.#alarmMs = undefined;
    return true;
  }

  // The alarm

  async alarm(): Promise<void> {
    this.#alarmMs = null;
    const profile = this.profile();
    if (profile === null) return;
    try {
      if (await this.#alarm.run(profile)) await this.#setAlarm(this.wallMs() + 1);
      else await this.arm();
    } catch (error) {
      this.outside.report("alarm_failed", error);
      await this.#setAlarm(this.wallMs() + ALARM_RETRY_MS);
    }
  }

  readonly arm = async (): Promise<void> => {
    const profile = this.profile();
    if (profile === null) return;
    if (this.#alarmMs === undefined) {
      const alarmMs = await this.#host.alarm.read();
      // Set or rung meanwhile, it is known better here.
      if (this.#alarmMs === undefined) this.#alarmMs = alarmMs;
    }
    const nowMs = this.wallMs();
    // A dispatcher that delivers already takes up at once what was just recorded.
    if (this.stores.db.of(WEBHOOKS).isThere && this.dispatcher.isBusy) this.dispatcher.wake();
    const dueMs = this.#alarm.dueMs(profile, nowMs);
    if (this.#mustSet(dueMs, nowMs)) await this.#setAlarm(dueMs);
  };

  /** A tenant of which nothing is due sleeps until somebody asks; an alarm is never moved to a later time. */
  #mustSet(dueMs: number, nowMs: number): boolean {
    const alarmMs = this.#alarmMs ?? Infinity;
    return dueMs < alarmMs || (dueMs < Infinity && alarmMs < nowMs - STALE_ALARM_MS);
  }

  async #setAlarm(atMs: number): Promise<void> {
    await this.#host.alarm.set(atMs);
    this.#alarmMs = atMs;
  }
}
