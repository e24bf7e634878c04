import { DurableObject } from "cloudflare:workers";
import { consumed } from "../../src/domain/ledger/day-totals.ts";
import type { AccountFacts } from "../../src/metrics/metrics.ts";
import { dayOf, type Month } from "../../src/domain/ledger/period.ts";
import { type Database, migrate, objectDatabase } from "../database.ts";
import { Dispatcher } from "../outbox/dispatcher.ts";
import { dispatcherOptions, restOrLate } from "../outbox/dispatcher-options.ts";
import type { DeliveryQuery } from "../outbox/delivery-store.ts";
import { Outbox } from "../outbox/outbox.ts";
import type { PlatformEvent } from "../outbox/platform-event-store.ts";
import { type TriedWebhook, tryWebhook } from "../outbox/try-webhook.ts";
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  type EventQuery,
  listDeliveries,
  listEvents,
  type NewWebhook,
  listWebhooks,
  readEvent,
  readWebhook,
  type ReplayRequest,
  replayDelivery,
  replayWebhook,
  type RotateSecret,
  rotateSecret,
  type WebhookChange,
} from "../outbox/webhooks.ts";
import type { WebhookView } from "../outbox/webhook-object.ts";
import {
  type Birth,
  type Configured,
  refusedSettings,
  type SettingsChange,
} from "../tenant/configure.ts";
import type { Period } from "../tenant/ledger/ledger-store.ts";
import { failureReporter } from "../report-failure.ts";
import { readPlatform } from "../tenant/platform.ts";
import type { TenantCheck } from "../tenant/invariants.ts";
import type { AccessRefusal } from "../tenant/transactions.ts";
import { ACCOUNT_MIGRATIONS } from "./account-schema.ts";
import { AccountStore, carriedFrom, type ListedTenant } from "./tenants/tenant-store.ts";
import type { AuditEntry } from "../../src/domain/account/audit-entry.ts";
import { type ClosedBooks, ClosedPeriodStore } from "./tenants/closed-period-store.ts";
import type {
  AccountPatch,
  Promised,
  PromiseSums,
} from "../../src/domain/account/account-terms.ts";
import { type MicroNeurons, microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { promisedBy } from "../../src/domain/tenant/settings.ts";
import type { PlannedPromise } from "../../src/domain/tenant/state-plan.ts";
import type { Warning } from "../../src/domain/account/account-warnings.ts";
import type { CheckedTenant } from "../../src/domain/tenant/tenant-check.ts";
import type { AccountAnswer, AccountMessage, DaySpent } from "./account-protocol.ts";
import { callEach, type CallLimits, within } from "./call-each.ts";
import { Checks, type CheckStatus } from "./checks/check-passes.ts";
import { type CheckFinding, CheckStore } from "./checks/check-store.ts";
import { checkTenants } from "./checks/checks.ts";
import { DeniedStore } from "./pool/denied-store.ts";
import { eraseFiles } from "./tenants/file-sweeps.ts";
import { useReports } from "../../src/reports/open-reports.ts";
import { endReports } from "./tenants/report-ends.ts";
import { type ReportEnd, ReportEndStore } from "./tenants/report-end-store.ts";
import { PoolCache } from "./pool/pool-cache.ts";
import { PoolAllocator } from "./pool/pool-allocator.ts";
import type { PoolOverview } from "./pool/pool-overview.ts";
import { PoolStore } from "./pool/pool-store.ts";
import { answerMessage, recallLeases, type BroadcastDeps, notifyDenied } from "./pool/pool.ts";
import {
  type ListedTenantRow,
  type Page,
  type SharingTenant,
  type TenantFilter,
  TenantList,
} from "./tenants/tenant-list.ts";
import { TenantListStore } from "./tenants/tenant-list-store.ts";
import type { TenantPage } from "./tenants/tenant-order.ts";
import { type FileSweep, FileSweepStore } from "./tenants/file-sweep-store.ts";

/** When an unfinished deletion is taken up again. */
const RESUME_AFTER_MS = 10_000;

/**
 * How long after its end a call of a tenant can still write a file: a hold lasts 90 s, and a request
 * that began before the tenant was closed has its own 60 s to run and 25 to write.
 */
const LATE_FILES_MS = 180_000;

/** How long the platform's events and deliveries can be read back. */
const EVENTS_KEPT_MS = 30 * 86_400_000;

/** Rows of each table deleted in one alarm. */
const MAX_PURGED = 500;

/** Unfinished deletions and sweeps in one alarm. */
const MOST_AT_ONCE = 50;

/** Of each kind: an alarm comes to its end within a minute, whoever hangs. */
const ALARM_LIMITS: CallLimits = { atOnce: 8, eachMs: 20_000, allMs: 20_000 };

/** One half of a deletion: the tenant's object ends 10,000 calls in a hundred steps at most. */
const CLOSE_MS = 15_000;

/**
 * The list of tenants, the log of admin acts, and the pool that all tenants share. It makes and ends
 * tenants; in the course of a call it is asked only for what a tenant's object has not leased yet.
 */
export class Account extends DurableObject<Env> {
  readonly #store: AccountStore;
  readonly #sweeps: FileSweepStore;
  readonly #closed: ClosedPeriodStore;
  readonly #ends: ReportEndStore;
  readonly #checks: Checks;
  /** Acts on one tenant run one after the other: each awaits the tenant's object. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #db: Database;
  readonly #outbox: Outbox;
  readonly #dispatcher: Dispatcher;
  readonly #cache: PoolCache;
  readonly #pool: PoolAllocator;
  readonly #list: TenantList;
  /** The last deletion that an alarm took up. */
  #resumedTo = "";
  /** When the alarm is set for, as far as is known since the object started. */
  #armedMs: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const db = objectDatabase(ctx.storage);
    migrate(db, ACCOUNT_MIGRATIONS);
    this.#store = new AccountStore(db);
    this.#sweeps = new FileSweepStore(db);
    this.#closed = new ClosedPeriodStore(db);
    this.#ends = new ReportEndStore(db);
    this.#checks = new Checks(new CheckStore(db));
    this.#db = db;
    this.#outbox = new Outbox(db, () => null);
    const platform = readPlatform(env);
    this.#cache = new PoolCache(new PoolStore(db), platform.workersPlan);
    this.#list = new TenantList(new TenantListStore(db), this.#cache);
    this.#pool = new PoolAllocator(this.#cache, new DeniedStore(db), ({ type, data }, nowMs) =>
      this.#outbox.record({ type, subject: null, decision: null, data }, nowMs),
    );
    this.#dispatcher = new Dispatcher(this.#outbox, {
      ...dispatcherOptions(platform),
      transact: (work) => this.#transact(work),
      onRest: () => void this.#arm().catch((error: unknown) => reportFailure("arm_failed", error)),
      report: (error) => reportFailure("delivery_failed", error),
    });
  }

  /** Makes a tenant or replaces its settings. The list knows it before its object does. */
  putTenant(
    id: string,
    change: Extract<SettingsChange, { kind: "replace" }>,
    ifMatch: number | null,
  ): Promise<Put | AccessRefusal> {
    return this.#inTurn(id, async () => {
      // Before the list knows of it: a tenant that is not made must not be listed.
      const refused = refusedSettings(change.settings);
      if (refused !== null) return refused;
      const known = this.#store.readTenant(id)?.state === "active";
      if (!known && ifMatch !== null) return { kind: "version_conflict", version: 0 };
      const listed = await this.#listedAnew(id);
      const { generation, carried } = listed;
      const birth: Birth = { id, generation, carried, contentSecret: randomSecret() };
      const reply = this.env.TENANT.getByName(id).configure({ birth, change, ifMatch });
      // A copy: handed on as it is, the reply would hold the tenant's session open.
      using configured = await reply;
      const answer = structuredClone(configured) as Configured | AccessRefusal;
      if (answer.kind !== "configured") return answer;
      const { profile } = answer;
      const warnings = this.promise(id, profile.generation, promisedBy(profile));
      return { ...answer, warnings };
    });
  }

  /**
   * Ends a tenant: keys and admission at once, then its holds, then everything that its object
   * stores. Its daily totals stay here. True when there was one.
   */
  deleteTenant(id: string): Promise<boolean> {
    return this.#inTurn(id, async () => {
      const listed = this.#store.readTenant(id);
      if (listed === null || listed.state === "deleted") return false;
      await this.#finishDeletion(listed);
      return true;
    });
  }

  listTenants(
    after: string,
    limit: number,
  ): { readonly ids: readonly string[]; readonly more: boolean } {
    const rows = this.#store.listTenants(after, limit);
    return { ids: rows.slice(0, limit).map(({ id }) => id), more: rows.length > limit };
  }

  /** What is known of tenants here: none is asked. */
  listTenantRows(page: TenantPage, filter: TenantFilter): Page<ListedTenantRow> {
    return this.#transact((nowMs) => this.#list.list(page, filter, nowMs));
  }

  /** What tenants have of the day's pool. */
  listSharing(page: TenantPage): Page<SharingTenant> {
    return this.#transact((nowMs) => this.#list.sharing(page, nowMs));
  }

  /** Those of these tenants that there are. */
  listedAmong(ids: readonly string[]): readonly string[] {
    return this.#store.listedAmong(ids);
  }

  // The pool

  /** What a tenant's object asks and reports. Can be repeated: messages of a day are numbered. */
  async ask(ask: AccountMessage): Promise<AccountAnswer> {
    const deps = { ...this.#tellDeps(), sleep };
    const answer = await answerMessage(deps, ask, () => this.#isLive(ask));
    if (answer.kind === "over") return answer;
    await this.#armForPool();
    return answer;
  }

  #isLive({ tenant, generation }: AccountMessage): boolean {
    const listed = this.#store.readTenant(tenant);
    return listed?.state === "active" && listed.generation === generation;
  }

  /** Settings of a tenant that has them already; what the platform should know of all promises. */
  promise(
    tenant: string,
    generation: number,
    promised: Promised & { readonly version: number },
  ): readonly Warning[] {
    return this.#transact((nowMs) => {
      const listed = this.#store.readTenant(tenant);
      if (listed?.state === "active" && listed.generation === generation) {
        this.#pool.promise(tenant, generation, promised);
      }
      return this.#pool.warnings(nowMs);
    });
  }

  /** What the platform should know of all promises once these tenants have theirs. */
  warningsWith(planned: readonly PlannedPromise[]): readonly Warning[] {
    return this.#transact((nowMs) => this.#pool.warnings(nowMs, this.#pool.change(planned)));
  }

  /** What some tenants of a plan add to what all are promised: of a plan too large for one message. */
  plannedChange(planned: readonly PlannedPromise[]): PromiseSums {
    return this.#transact(() => this.#pool.change(planned));
  }

  /** As `warningsWith`, of the sum of such changes. */
  warningsOf(change: PromiseSums): readonly Warning[] {
    return this.#transact((nowMs) => this.#pool.warnings(nowMs, change));
  }

  readPool(): PoolOverview {
    return this.#transact((nowMs) => this.#pool.overview(nowMs));
  }

  async patchPool(patch: AccountPatch): Promise<PoolOverview> {
    this.#transact((nowMs) => this.#pool.patch(patch, nowMs));
    await this.#arm();
    return this.readPool();
  }

  /** As measured by reconciliation: so much of the pool is granted to nobody. */
  setSafetyMargin(margin: MicroNeurons): void {
    this.#transact(() => this.#pool.setMeasuredMargin(microNeurons(margin)));
  }

  /** Lifts the closure of the day. Returns how many tenants know of it: the alarm tells them. */
  reopen(): Promise<number> {
    return this.#tell((nowMs) => this.#pool.reopen(nowMs));
  }

  #tellDeps(): BroadcastDeps {
    return {
      allocator: this.#pool,
      tenant: (id) => this.env.TENANT.getByName(id),
      transact: (work) => this.#transact(work),
    };
  }

  async #armForPool(): Promise<void> {
    const dueMs = this.#transact((nowMs) => this.#pool.dueMs(nowMs));
    if (dueMs !== null && (this.#armedMs === null || dueMs < this.#armedMs)) await this.#arm();
  }

  /** What lives of this id that have ended had in a month; the latest of them where none is named. */
  readClosedBooks(tenant: string, generation: number | null, month: Month): ClosedBooks {
    return this.#closed.read(tenant, generation, month);
  }

  // The platform's reports

  /** Makes the reports of a tenant's ended lives anew. Returns how many those are. */
  async rebuildEnded(tenant: string): Promise<number> {
    const listed = this.#store.readTenant(tenant);
    if (listed === null) return 0;
    const before = listed.state === "deleted" ? listed.generation + 1 : listed.generation;
    const lives = this.#ends.listLives(tenant, before);
    for (const generation of lives) this.#planReportEnd(tenant, generation);
    await this.#arm();
    return lives.length;
  }

  /** Ended lives whose daily totals are not in the reports yet. */
  unwrittenLives(tenant: string): number {
    return this.#ends.countOf(tenant);
  }

  /** Messages of the feed that the queue gave up. */
  countDeadMessages(messages: number): void {
    this.#ends.countDead(dayOf(Date.now()), messages);
  }

  deadMessages(): number {
    return this.#ends.deadMessages();
  }

  record(entry: Omit<AuditEntry, "atMs">): void {
    this.#store.addAudit({ ...entry, atMs: Date.now() });
  }

  /** All or none; one that is in the log already is there once. */
  recordAll(entries: readonly Omit<AuditEntry, "atMs">[]): void {
    const atMs = Date.now();
    this.#db.transaction(() =>
      entries.forEach((entry) => this.#store.addAudit({ ...entry, atMs })),
    );
  }

  listAudit(
    before: string,
    tenant: string | null,
    limit: number,
  ): { readonly entries: readonly AuditEntry[]; readonly more: boolean } {
    const rows = this.#store.listAudit(before, tenant, limit);
    return { entries: rows.slice(0, limit), more: rows.length > limit };
  }

  // Webhooks of the platform: what a tenant's object does about its own, and what tenants report

  /** At least once: a tenant repeats what was not confirmed. */
  report(tenant: string, reports: readonly PlatformEvent[]): Promise<void> {
    return this.#tell((nowMs) => {
      for (const { type, data } of reports) {
        const told = { ...data, tenant };
        this.#outbox.record({ type, subject: null, decision: null, data: told }, nowMs);
      }
    });
  }

  // What must always be zero, over all tenants

  /** Begins a pass, unless one runs or the latest began less than so long ago. It wakes each tenant. */
  startChecks(restMs: number): Promise<CheckStatus> {
    return this.#tell((nowMs) =>
      this.#checks.begin(this.#store.countTenants().active, restMs, nowMs),
    );
  }

  /** How far the passes are, and a page of the tenants that did not look sound, by id. */
  readChecks(
    after: string,
    limit: number,
  ): CheckStatus & { readonly findings: readonly CheckFinding[]; readonly more: boolean } {
    const rows = this.#checks.list(after, limit + 1);
    const findings = rows.slice(0, limit);
    return { ...this.#checks.read(), findings, more: rows.length > limit };
  }

  async #checkTenant(id: string): Promise<CheckedTenant | null> {
    const reply = this.env.TENANT.getByName(id).check({ kind: "platform" });
    // A copy: handed on as it is, the reply would hold the tenant's session open.
    using answer = await reply;
    const checked = structuredClone(answer) as TenantCheck | AccessRefusal;
    return checked.kind === "checked" ? checked : null;
  }

  async #checkTenants(): Promise<void> {
    const deps = {
      checks: this.#checks,
      check: (id: string) => this.#checkTenant(id),
      transact: <Result>(work: (nowMs: number) => Result) => this.#transact(work),
    };
    await checkTenants(deps).catch((error: unknown) => reportFailure("check_failed", error));
  }

  readFacts(): AccountFacts {
    const endpoints = this.#outbox.webhooks.all();
    const enabled = endpoints.filter((webhook) => webhook.enabled).length;
    return {
      pool: this.readPool(),
      tenants: this.#store.countTenants(),
      endpoints: { enabled, disabled: endpoints.length - enabled },
      deliveries: this.#outbox.deliveries.counts(),
    };
  }

  /** What the reconciliation saw: each as its GET returns it. */
  tellDrifts(drifts: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    return this.#tell((nowMs) => {
      for (const data of drifts) {
        this.#outbox.record(
          { type: "reconciliation.drift", subject: null, decision: null, data },
          nowMs,
        );
      }
    });
  }

  createWebhook(made: NewWebhook): Promise<ReturnType<typeof createWebhook>> {
    return this.#tell((nowMs) => createWebhook(this.#outbox, made, nowMs));
  }

  listWebhooks(): readonly WebhookView[] {
    return listWebhooks(this.#outbox);
  }

  readWebhook(id: string): ReturnType<typeof readWebhook> {
    return readWebhook(this.#outbox, id);
  }

  changeWebhook(id: string, changed: WebhookChange): Promise<ReturnType<typeof changeWebhook>> {
    return this.#tell((nowMs) => changeWebhook(this.#outbox, id, changed, nowMs));
  }

  rotateWebhook(request: RotateSecret): Promise<ReturnType<typeof rotateSecret>> {
    return this.#tell((nowMs) => rotateSecret(this.#outbox, request, nowMs));
  }

  deleteWebhook(id: string): Promise<ReturnType<typeof deleteWebhook>> {
    return this.#tell(() => deleteWebhook(this.#outbox, id));
  }

  tryWebhook(id: string): Promise<TriedWebhook> {
    const transact = <Result>(work: (nowMs: number) => Result) => this.#transact(work);
    return tryWebhook({ outbox: this.#outbox, dispatcher: this.#dispatcher, transact }, id);
  }

  listDeliveries(query: DeliveryQuery): ReturnType<typeof listDeliveries> {
    return listDeliveries(this.#outbox, query, Date.now());
  }

  replayWebhook(request: ReplayRequest): Promise<ReturnType<typeof replayWebhook>> {
    return this.#tell((nowMs) => replayWebhook(this.#outbox, request, nowMs));
  }

  replayDelivery(id: string): Promise<ReturnType<typeof replayDelivery>> {
    return this.#tell((nowMs) => replayDelivery(this.#outbox, id, nowMs));
  }

  listEvents(query: EventQuery): ReturnType<typeof listEvents> {
    return listEvents(this.#outbox, query);
  }

  readEvent(id: string): ReturnType<typeof readEvent> {
    return readEvent(this.#outbox, id);
  }

  #transact<Result>(work: (nowMs: number) => Result): Result {
    try {
      return this.#db.transaction(() => work(Date.now()));
    } catch (error) {
      this.#outbox.forget();
      this.#cache.forget();
      throw error;
    }
  }

  /** What the alarm may have to do something about. */
  async #tell<Result>(work: (nowMs: number) => Result): Promise<Result> {
    const told = this.#transact(work);
    await this.#arm();
    return told;
  }

  /** Takes up deletions that a crash cut short, and files that are still to be erased. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + RESUME_AFTER_MS);
    this.#dispatcher.wake();
    const nowMs = Date.now();
    const sweeps = this.#sweeps.list(MOST_AT_ONCE).filter(({ dueAtMs }) => dueAtMs <= nowMs);
    const ends = this.#ends.list(MOST_AT_ONCE).filter(({ dueAtMs }) => dueAtMs <= nowMs);
    // Side by side: an object, a bucket or a database that hangs holds up none of the others.
    await Promise.all([
      notifyDenied(this.#tellDeps()),
      recallLeases(this.#tellDeps()),
      this.#checkTenants(),
      callEach(this.#unfinished(), (id) => this.deleteTenant(id), ALARM_LIMITS),
      callEach(sweeps, (sweep) => this.#sweep(sweep), ALARM_LIMITS),
      callEach(ends, (end) => this.#endReports(end), ALARM_LIMITS),
    ]);
    this.#purge();
    await restOrLate(this.#dispatcher);
    await this.#arm();
  }

  /**
   * Deletions to be taken up again, each alarm after those of the one before: many that hang do not
   * keep the others from their turn. One that is on its way already is not begun a second time.
   */
  #unfinished(): readonly string[] {
    const after = this.#store.listDeleting(this.#resumedTo, MOST_AT_ONCE);
    const some = after.length > 0 ? after : this.#store.listDeleting("", MOST_AT_ONCE);
    this.#resumedTo = some.length < MOST_AT_ONCE ? "" : (some.at(-1)?.id ?? "");
    return some.map(({ id }) => id).filter((id) => !this.#turns.has(id));
  }

  /** One alarm, for whatever is to be done next; none when nothing is. */
  async #arm(): Promise<void> {
    const [unfinished] = this.#store.listDeleting("", 1);
    const [sweep] = this.#sweeps.list(1);
    const due = unfinished === undefined ? [] : [Date.now() + RESUME_AFTER_MS];
    if (sweep !== undefined) due.push(sweep.dueAtMs);
    const [end] = this.#ends.list(1);
    if (end !== undefined) due.push(end.dueAtMs);
    if (this.#dispatcher.isBusy) this.#dispatcher.wake();
    const outboxMs = this.#dispatcher.nextDueMs();
    if (outboxMs !== null) due.push(outboxMs);
    const poolMs = this.#transact((nowMs) => this.#pool.dueMs(nowMs));
    if (poolMs !== null) due.push(poolMs);
    const checkMs = this.#checks.dueMs();
    if (checkMs !== null) due.push(checkMs);
    this.#armedMs = due.length === 0 ? null : Math.min(...due);
    if (this.#armedMs === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(this.#armedMs);
  }

  /** Events of the platform are few: they are looked through whenever the alarm rings. */
  #purge(): void {
    this.#transact((nowMs) => {
      this.#outbox.purge(nowMs - EVENTS_KEPT_MS, MAX_PURGED, nowMs);
      this.#pool.purge(nowMs);
    });
  }

  /** A bucket that fails is asked again later: the tenant is gone whatever becomes of its files. */
  async #sweep(sweep: FileSweep): Promise<void> {
    // The clock is read before the look: what is written after it is found by a later one.
    const nowMs = Date.now();
    const bucket = imagesOf(this.env);
    const done = bucket === null || (await eraseFiles(bucket, sweep).catch(() => false));
    if (done && nowMs >= sweep.lastAtMs) return this.#sweeps.remove(sweep);
    this.#sweeps.write({ ...sweep, dueAtMs: done ? sweep.lastAtMs : nowMs + RESUME_AFTER_MS });
  }

  /** As with files: reports that fail are asked again later. */
  async #endReports(end: ReportEnd): Promise<void> {
    const nowMs = Date.now();
    try {
      const done = await useReports(this.env, (database) =>
        endReports(database, this.#ends, end, nowMs),
      );
      if (done === null) this.#ends.remove(end);
    } catch (error) {
      this.#ends.write({ ...end, dueAtMs: nowMs + RESUME_AFTER_MS });
      reportFailure("reports_not_ended", error);
    }
  }

  #planReportEnd(tenant: string, generation: number): ReportEnd {
    const end = { tenant, generation, cleared: false, afterDay: -1, dueAtMs: Date.now() };
    this.#ends.write(end);
    return end;
  }

  /** The tenant as it is, or in a new life that continues the day of its last. */
  async #listedAnew(id: string): Promise<ListedTenant> {
    const listed = this.#store.readTenant(id);
    if (listed?.state === "active") return listed;
    const ended = listed?.state === "deleting" ? await this.#finishDeletion(listed) : listed;
    const carried = ended?.carried ?? { day: 0, posted: ZERO };
    const generation = (ended?.generation ?? 0) + 1;
    const fresh: ListedTenant = { id, generation, state: "active", carried };
    this.#store.writeTenant(fresh, Date.now());
    return fresh;
  }

  /** Each step can be repeated; the tombstone is written before anything is erased. */
  async #finishDeletion(listed: ListedTenant): Promise<ListedTenant> {
    const { id, generation } = listed;
    const nowMs = Date.now();
    this.#store.writeTenant({ ...listed, state: "deleting" }, nowMs);
    await this.ctx.storage.setAlarm(nowMs + RESUME_AFTER_MS);
    const tenant = this.env.TENANT.getByName(id);
    using closed = await within(CLOSE_MS, tenant.close());
    const periods = closed?.periods ?? [];
    for (const period of periods) this.#store.keepPeriod(id, generation, period);
    // The clock is read after the close: when midnight came in between, nothing is carried over.
    const today = dayOf(Date.now());
    const carried = closed === null ? listed.carried : carriedFrom(periods, today, closed.carried);
    this.#store.writeTenant({ ...listed, state: "deleting", carried }, nowMs);
    // What it held and did not use is free again, in the same step as its end is certain.
    this.#transact((atMs) => this.#pool.endLife(id, generation, periods.map(spentOn), atMs));
    const sweep = this.#planSweep(id, generation);
    const end = this.#planReportEnd(id, generation);
    await this.ctx.storage.sync();
    await within(CLOSE_MS, tenant.erase());
    const ended: ListedTenant = { ...listed, state: "deleted", carried };
    this.#store.writeTenant(ended, nowMs);
    this.#checks.forget(id);
    if (sweep !== null) await this.#sweep(sweep);
    await this.#endReports(end);
    await this.#arm();
    return ended;
  }

  /** Written before anything is erased, so that a crash forgets no file; null without a bucket. */
  #planSweep(tenant: string, generation: number): FileSweep | null {
    if (imagesOf(this.env) === null) return null;
    const nowMs = Date.now();
    const sweep = { tenant, generation, dueAtMs: nowMs, lastAtMs: nowMs + LATE_FILES_MS };
    this.#sweeps.write(sweep);
    return sweep;
  }

  #inTurn<Result>(id: string, act: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(act, act);
    const settled = turn.catch(() => undefined);
    this.#turns.set(id, settled);
    void settled.then(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    });
    return turn;
  }
}

/** All of it is charged by then: holds have ended with the tenant. */
const spentOn = ({ day, drawn, totals }: Period): DaySpent => ({
  day,
  spent: consumed(drawn, totals),
  pending: ZERO,
});

/** What was configured, and what the platform should know of all that it promises. */
export type Put =
  | (Extract<Configured, { kind: "configured" }> & { readonly warnings: readonly Warning[] })
  | Exclude<Configured, { kind: "configured" }>;

/** A deployment may do without the bucket. */
const imagesOf = (env: Env): R2Bucket | null => (env as Partial<Env>).IMAGES ?? null;

const reportFailure = failureReporter("account");

const sleep = (ms: number): Promise<void> => scheduler.wait(ms);

const randomSecret = (): string => crypto.getRandomValues(new Uint8Array(32)).toHex();
