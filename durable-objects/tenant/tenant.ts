import { DurableObject } from "cloudflare:workers";
import type { Adjustment, JournalEntry } from "../../src/domain/ledger/adjustment.ts";
import { type Erasure, type Place } from "../../src/domain/tenant/erasure.ts";
import type { Failure } from "../../src/domain/ledger/failure.ts";
import { type Archive, isStored } from "../../src/domain/ledger/journal-archive.ts";
import { charged } from "../../src/domain/ledger/ledger.ts";
import { deliveriesAMinute } from "../../src/domain/webhooks/delivery.ts";
import { REQUESTS } from "../../src/domain/ledger/rate-limit.ts";
import type { MicroNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { DaySums } from "../../src/domain/usage/day-sums.ts";
import type { Day, Month } from "../../src/domain/ledger/period.ts";
import type { PolicyVersion } from "../../src/domain/moderation/policy.ts";
import { MOST_IN_FLIGHT } from "../../src/domain/tenant/settings.ts";
import { verdictAt } from "../../src/domain/moderation/review.ts";
import type { Batch } from "../../src/domain/moderation/batch.ts";
import type { Verdict } from "../../src/domain/moderation/verdict.ts";
import { Dispatcher } from "../outbox/dispatcher.ts";
import { dispatcherOptions } from "../outbox/dispatcher-options.ts";
import type { DeliveryQuery } from "../outbox/delivery-store.ts";
import { type TriedWebhook, tryWebhook } from "../outbox/try-webhook.ts";
import {
  changeWebhook,
  deleteWebhook,
  type EventQuery,
  listDeliveries,
  listEvents,
  listWebhooks,
  readEvent,
  readWebhook,
  type ReplayRequest as DeliveriesAsk,
  replayDelivery,
  replayWebhook,
  type RotateSecret,
  rotateSecret,
  type WebhookChange,
} from "../outbox/webhooks.ts";
import type { WebhookView } from "../outbox/webhook-object.ts";
import { type CreateWebhook, createWebhookOnce } from "./create-webhook.ts";
import { forwardEvents } from "./forward-events.ts";
import { objectDatabase } from "../database.ts";
import { GroupCommit } from "../group-commit.ts";
import { failureReporter } from "../report-failure.ts";
import { TOO_MANY_WATCHERS, Watchers } from "../watchers.ts";
import { type AdjustLine, adjustLine, listEntries } from "./ledger/adjustments.ts";
import type { AdjustmentQuery } from "./ledger/adjustment-store.ts";
import { ACCOUNT_NAME } from "../account/account-name.ts";
import type { AccountView } from "../account/account-protocol.ts";
import { AccountClient, applyAccountView } from "./account/account-client.ts";
import { type Admission, admit } from "./calls/admit.ts";
import {
  type Birth,
  change,
  type Configured,
  create,
  refusedSettings,
  type SettingsChange,
} from "./configure.ts";
import {
  createGrant,
  endGrant,
  type GrantAt,
  listGrants,
  type NewGrant,
  readGrant,
} from "./ledger/grants.ts";
import { type IssueKey, issueKey, type RotateKey, rotateKey } from "./keys/keys.ts";
import { findPersonal, type PersonalPage, startErasure } from "./privacy/erasures.ts";
import type { Key } from "./keys/key-store.ts";
import type { LineQuery, Period } from "./ledger/ledger-store.ts";
import { mayRead, MAY_READ, type ReadReply, type ReadRequest } from "./calls/may-read.ts";
import { openStores, type TenantStores } from "./stores.ts";
import { readPlatform, reportUsersADay } from "./platform.ts";
import { deletePolicy, type Patch, patchPolicy, type Put, putPolicy } from "./policies/policies.ts";
import { type ReplayRequest, type ReplayPage, replayPage } from "./policies/policy-replay.ts";
import type { Profile } from "./profile-store.ts";
import type { AdmitReply, AdmitRequest, Caller, SettleReply, SettleRequest } from "./protocol.ts";
import { type QuotedCall, quote } from "./calls/quote.ts";
import type { RefusalCount } from "./ledger/refusal-store.ts";
import { countInvariants, type InvariantCounts, type Limits, limits } from "./invariants.ts";
import { keyed, keyedDigests, personHash } from "./calls/content-hash.ts";
import { Alarm } from "./alarm.ts";
import { useReports } from "../../src/reports/open-reports.ts";
import type { RowVersion } from "../../src/reports/usage-message.ts";
import { UsageFeed } from "./usage/usage-feed.ts";
import { readReportDays } from "./usage/read-report-days.ts";
import { readRebuild, type RebuildStatus, startRebuild } from "./usage/rebuild-reports.ts";
import { claimVerdicts, listRevisions, reviewVerdict } from "./verdicts/reviews.ts";
import { type ReadContent, readContent } from "./verdicts/contents.ts";
import type { ContentRead } from "./verdicts/content-store.ts";
import {
  beginStep,
  cancelBatch,
  completeBatch,
  createBatch,
  failBatch,
  listSteps,
  type NewBatch,
  type Next,
  readBatch,
  reportStep,
  type StepReport,
  type StepWork,
} from "./batches/batches.ts";
import { settle } from "./calls/settle.ts";
import { type AccessRefusal, Transactions, type Tx, unknownTenant } from "./transactions.ts";
import {
  type MonthBooks,
  readBooks,
  readUsage,
  type UsageQuery,
  type UsageReport,
} from "./usage/usage.ts";
import type { VerdictPage, VerdictQuery } from "./verdicts/verdict-store.ts";

type Operation =
  | { readonly kind: "admit"; readonly request: AdmitRequest }
  | { readonly kind: "settle"; readonly request: SettleRequest };

/**
 * Admissions that wait for a commit: as many as could be in progress at all, so that a burst which
 * a tenant's settings allow is admitted, and one that they do not takes no more memory. At 128 a
 * commit the last of them waits for eighty.
 */
const MOST_WAITING = MOST_IN_FLIGHT;

/**
 * How often a call asks the account for what others of the same commit took before it: each time some of
 * them get through, and who is refused is told so at once.
 */
const MOST_ROUNDS = 20;

/** An alarm that is this late is stuck: whoever sees it arms a new one. */
const STALE_ALARM_MS = 60_000;

/** After an alarm that threw: the platform would give up after six tries of its own. */
const ALARM_RETRY_MS = 30_000;

export interface Page<Item> {
  readonly kind: "page";
  readonly data: readonly Item[];
  readonly more: boolean;
}

/**
 * One tenant: its settings, keys, policies, ledger and verdicts, changed one step at a time.
 *
 * An object that was never configured has no schema: it answers as unknown and writes nothing, so
 * that no request can bring a tenant into being.
 */
export class Tenant extends DurableObject<Env> {
  readonly #stores: TenantStores;
  readonly #transactions: Transactions;
  readonly #calls: GroupCommit<Operation, Admission | SettleReply>;
  readonly #dispatcher: Dispatcher;
  readonly #feed: UsageFeed;
  readonly #alarm: Alarm;
  readonly #watchers = new Watchers();
  readonly #client: AccountClient;
  #known: boolean;
  /** When the alarm is set for; undefined: not looked up since the object started. */
  #alarmMs: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const db = objectDatabase(ctx.storage);
    const platform = readPlatform(env);
    this.#stores = openStores(db, platform);
    this.#known = this.#stores.db.open();
    this.#transactions = new Transactions(this.#stores, () => Date.now());
    this.#calls = new GroupCommit(
      (operations) => this.#commit(operations),
      () => this.#arm().then(() => db.sync()),
    );
    this.#dispatcher = new Dispatcher(this.#stores.outbox, {
      ...dispatcherOptions(platform),
      transact: (work) => this.#transact(({ nowMs }) => work(nowMs)),
      mostAMinute: () => deliveriesAMinute(this.#profile()?.settings.rpm[REQUESTS]),
      onRest: () => void this.#arm().catch((error: unknown) => report("arm_failed", error)),
      report: (error) => report("delivery_failed", error),
    });
    const step = <Result>(work: (tx: Tx) => Result): Result | null => {
      const profile = this.#profile();
      return profile === null ? null : this.#transactions.run(profile, work);
    };
    this.#feed = new UsageFeed({
      stores: this.#stores,
      step,
      queue: () => usageQueueOf(this.env),
      usersADay: () => reportUsersADay(this.env),
      reports: (work) => useReports(this.env, work),
      report,
    });
    this.#client = new AccountClient({
      stores: this.#stores,
      step: (work) => this.#step(work),
      account: () => env.ACCOUNT.getByName(ACCOUNT_NAME),
      wallMs: () => Date.now(),
      sleep: (ms) => scheduler.wait(ms),
      report,
    });
    this.#alarm = new Alarm({
      stores: this.#stores,
      client: this.#client,
      dispatcher: this.#dispatcher,
      feed: this.#feed,
      step,
      bucket: () => (this.env as Partial<Env>).IMAGES ?? null,
      runs: () => (this.env as Partial<Env>).BATCHES ?? null,
      handOver: (tenant, reports) => forwardEvents(env, tenant, reports),
      report,
    });
    // Whoever ran them may have been killed with the object before this one.
    if (this.#known && this.#stores.batches.open().length > 0) ctx.waitUntil(this.#arm());
  }

  // Governed calls

  async admit(asked: AdmitRequest): Promise<AdmitReply> {
    const profile = this.#profile();
    if (profile === null) return { kind: "invalid_key" };
    const request = await withReuseKeys(asked, profile);
    const waiting = this.#calls.waiting + this.#client.waiting;
    if (waiting >= MOST_WAITING && !this.#isKnown(request)) return { kind: "unavailable" };
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- once more when the account was asked
      const reply = (await this.#calls.run({ kind: "admit", request })) as Admission;
      if (reply.kind !== "needs_lease") return reply;
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#client.cover(reply.missing))) break;
    }
    return { kind: "unavailable" };
  }

  async settle(request: SettleRequest): Promise<SettleReply> {
    const profile = this.#profile();
    if (profile === null) {
      return { settlement: { kind: "unknown_hold" }, verdicts: [], standing: null };
    }
    const verdicts = await keyed(request.verdicts, profile.contentSecret);
    const operation = { kind: "settle" as const, request: { ...request, verdicts } };
    const reply = (await this.#calls.run(operation)) as SettleReply;
    if (request.account !== null) this.ctx.waitUntil(this.#client.tellNews());
    return reply;
  }

  /** A repeat of what was admitted is never turned away: its hold is taken and must be told of. */
  #isKnown({ callId }: AdmitRequest): boolean {
    return this.#stores.ledger.has(callId);
  }

  /** Whether a large body is worth reading; nothing is reserved, and it takes no rate. */
  async mayRead(request: ReadRequest): Promise<ReadReply> {
    const profile = this.#profile();
    if (profile === null) return { kind: "invalid_key" };
    const reply = this.#transactions.run(profile, (tx) => mayRead(tx, request));
    // A refusal may be told to webhooks, and is counted.
    if (reply.kind !== MAY_READ.kind && reply.kind !== "key_ended") await this.#arm();
    return reply;
  }

  /** What such a call would cost; nothing is reserved, and it takes no rate. */
  async quote(
    caller: Caller,
    asked: QuotedCall,
  ): Promise<ReturnType<typeof quote> | AccessRefusal> {
    const access = this.#ask(caller, () => null);
    if (access !== null) return access;
    await this.#client.look();
    return this.#ask(caller, (tx) => quote(tx, asked));
  }

  #commit(operations: readonly Operation[]): (Admission | SettleReply)[] {
    const profile = this.#profile();
    if (profile === null) throw new Error("the tenant was erased");
    return this.#transactions.run(profile, (tx) =>
      operations.map((operation) =>
        operation.kind === "admit" ? admit(tx, operation.request) : settle(tx, operation.request),
      ),
    );
  }

  // Settings

  async configure(request: {
    readonly birth: Birth;
    readonly change: SettingsChange;
    readonly ifMatch: number | null;
  }): Promise<Configured | AccessRefusal> {
    const profile = this.#profile();
    if (profile?.closed === true) return notFound("tenant");
    if (profile !== null) {
      const changed = change(this.#transactions, profile, request);
      // What is kept for less time from now on is due earlier.
      await this.#arm();
      return changed;
    }
    if (request.change.kind === "patch") return { kind: "not_found", what: "tenant" };
    if (request.ifMatch !== null) return { kind: "version_conflict", version: 0 };
    const { settings } = request.change;
    const refused = refusedSettings(settings);
    if (refused !== null) return refused;
    const made = { birth: request.birth, settings, wallMs: Date.now() };
    const created = create(this.#stores, this.#transactions, made);
    this.#known = true;
    return created;
  }

  readProfile(
    caller: Caller,
  ): { readonly kind: "profile"; readonly profile: Profile } | AccessRefusal {
    return this.#ask(caller, ({ profile }) => ({ kind: "profile" as const, profile }));
  }

  // Keys

  /** Arms, as all that remember an idempotency key: it is to be forgotten. */
  issueKey(
    caller: Caller,
    request: IssueKey,
  ): Promise<ReturnType<typeof issueKey> | AccessRefusal> {
    return this.#write(caller, (tx) => issueKey(tx, request));
  }

  rotateKey(
    caller: Caller,
    request: RotateKey,
  ): Promise<ReturnType<typeof rotateKey> | AccessRefusal> {
    return this.#write(caller, (tx) => rotateKey(tx, request));
  }

  listKeys(caller: Caller, before: string, limit: number): Page<Key> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => page(stores.keys.list(before, limit), limit));
  }

  endKey(caller: Caller, id: string): { readonly kind: "ended" } | AccessRefusal {
    return this.#ask(caller, ({ stores }) =>
      stores.keys.end(id) ? { kind: "ended" as const } : notFound("key"),
    );
  }

  // Grants

  createGrant(
    caller: Caller,
    request: NewGrant,
  ): Promise<ReturnType<typeof createGrant> | AccessRefusal> {
    return this.#write(caller, (tx) => createGrant(tx, request));
  }

  readGrant(caller: Caller, id: string): ReturnType<typeof readGrant> | AccessRefusal {
    return this.#ask(caller, (tx) => readGrant(tx, id));
  }

  endGrant(caller: Caller, id: string): ReturnType<typeof endGrant> | AccessRefusal {
    return this.#ask(caller, (tx) => endGrant(tx, id));
  }

  listGrants(caller: Caller, before: string, limit: number): Page<GrantAt> | AccessRefusal {
    return this.#ask(caller, (tx) => page(listGrants(tx, { before, limit }), limit));
  }

  // Adjustments

  adjustLine(
    caller: Caller,
    request: AdjustLine,
  ): Promise<ReturnType<typeof adjustLine> | AccessRefusal> {
    return this.#write(caller, (tx) => adjustLine(tx, request));
  }

  listAdjustments(caller: Caller, query: AdjustmentQuery): Page<Adjustment> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => page(stores.adjustments.list(query), query.limit));
  }

  // Archived days of the journal

  listArchives(caller: Caller, before: Day, limit: number): Page<Archive> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => page(stores.archives.list(before, limit), limit));
  }

  readArchive(
    caller: Caller,
    day: Day,
  ):
    | { readonly kind: "archive"; readonly archive: Archive; readonly generation: number }
    | AccessRefusal {
    return this.#ask(caller, ({ stores, profile: { generation } }) => {
      const archive = stores.archives.read(day);
      return archive === null || !isStored(archive)
        ? notFound("archived day")
        : { kind: "archive" as const, archive, generation };
    });
  }

  // Policies

  listPolicies(caller: Caller, after: string, limit: number): Page<PolicyVersion> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => page(stores.policies.list(after, limit), limit));
  }

  readPolicy(
    caller: Caller,
    name: string,
    version: number | null,
  ): { readonly kind: "policy"; readonly policy: PolicyVersion } | AccessRefusal {
    return this.#ask(caller, ({ stores }) => {
      const policy = stores.policies.read(name, version);
      return policy === null ? notFound("policy") : { kind: "policy" as const, policy };
    });
  }

  putPolicy(caller: Caller, put: Put): ReturnType<typeof putPolicy> | AccessRefusal {
    return this.#ask(caller, (tx) => putPolicy(tx, put));
  }

  patchPolicy(caller: Caller, patch: Patch): ReturnType<typeof patchPolicy> | AccessRefusal {
    return this.#ask(caller, (tx) => patchPolicy(tx, patch));
  }

  deletePolicy(caller: Caller, name: string): ReturnType<typeof deletePolicy> | AccessRefusal {
    return this.#ask(caller, (tx) => deletePolicy(tx, name));
  }

  /** One page of a replay: nothing is asked, admitted or paid. */
  replayPolicy(caller: Caller, asked: ReplayRequest): ReplayPage | AccessRefusal {
    return this.#ask(caller, (tx) => replayPage(tx, asked));
  }

  // Reading

  async readLimits(caller: Caller): Promise<Limits | AccessRefusal> {
    const access = this.#ask(caller, () => null);
    if (access !== null) return access;
    await this.#client.see();
    return this.#ask(caller, limits);
  }

  /** As `readLimits`, of somebody who asks again and again: only so many may. */
  watchLimits(
    caller: Caller,
    { watcher }: { readonly watcher: string },
  ): Limits | AccessRefusal | typeof TOO_MANY_WATCHERS {
    return this.#ask(caller, (tx) =>
      this.#watchers.admit(watcher, tx.nowMs) ? limits(tx) : TOO_MANY_WATCHERS,
    );
  }

  /** Lines of calls, and of adjustments. */
  listLines(caller: Caller, query: LineQuery): Page<JournalEntry> | AccessRefusal {
    return this.#ask(caller, (tx) => page(listEntries(tx, query), query.limit));
  }

  listPeriods(caller: Caller, from: Day, to: Day): PeriodList | AccessRefusal {
    return this.#ask(caller, ({ stores, profile, nowMs }) => {
      stores.refusals.flush();
      stores.ledger.flush();
      const periods = stores.journal.listPeriods(from, to);
      return { kind: "periods" as const, tenant: profile.id, periods, nowMs };
    });
  }

  readUsage(caller: Caller, ask: UsageQuery): UsageReport | AccessRefusal {
    const { hasNews } = this.#feed;
    return this.#ask(caller, (tx) => readUsage(tx, ask, hasNews));
  }

  readBooks(caller: Caller, month: Month): MonthBooks | AccessRefusal {
    return this.#ask(caller, (tx) => readBooks(tx, month));
  }

  listRefusals(
    caller: Caller,
    query: { readonly fromMinute: number; readonly toMinute: number; skip: number; limit: number },
  ): Page<RefusalCount> | AccessRefusal {
    return this.#ask(caller, ({ stores: { refusals } }) => {
      refusals.flush();
      const { fromMinute, toMinute } = query;
      return page(refusals.list(fromMinute, toMinute, query), query.limit);
    });
  }

  /** For the platform's metrics: reads some thousands of rows, so it is asked rarely. */
  check(caller: Caller): Promise<TenantCheck | AccessRefusal> {
    return this.#write(caller, (tx) => ({
      kind: "checked" as const,
      ...countInvariants(tx),
      deliveries: tx.stores.outbox.deliveries.counts(),
    }));
  }

  countInvariants(caller: Caller): Promise<InvariantList | AccessRefusal> {
    return this.#write(caller, (tx) => ({
      kind: "invariants" as const,
      tenant: tx.profile.id,
      ...countInvariants(tx),
    }));
  }

  listVerdicts(
    caller: Caller,
    query: VerdictQuery,
  ): ({ readonly kind: "verdicts" } & VerdictPage) | AccessRefusal {
    return this.#ask(caller, ({ stores, nowMs }) => ({
      kind: "verdicts" as const,
      ...stores.verdicts.list(query, nowMs),
    }));
  }

  readVerdict(
    caller: Caller,
    id: string,
  ):
    | { readonly kind: "verdict"; readonly verdict: Verdict; readonly mayReview: boolean }
    | AccessRefusal {
    return this.#ask(caller, ({ stores, nowMs, keyId }) => {
      const verdict = stores.verdicts.read(id);
      if (verdict === null) return notFound("verdict");
      const key = keyId === null ? null : stores.keys.read(keyId, nowMs);
      // Without a key it is the platform that asks.
      const mayReview = keyId === null || (key !== null && key.role !== "call");
      return { kind: "verdict" as const, verdict: verdictAt(verdict, nowMs), mayReview };
    });
  }

  // People

  reviewVerdict(caller: Caller, request: Parameters<typeof reviewVerdict>[1]) {
    return this.#write(caller, (tx) => {
      this.#feed.changed();
      return reviewVerdict(tx, request);
    });
  }

  claimVerdicts(
    caller: Caller,
    limit: number,
  ): ({ readonly kind: "verdicts" } & VerdictPage) | AccessRefusal {
    return this.#ask(caller, (tx) => {
      const verdicts = claimVerdicts(tx, limit);
      return { kind: "verdicts" as const, verdicts, next: null };
    });
  }

  readContent(caller: Caller, asked: ReadContent) {
    return this.#ask(caller, (tx) => readContent(tx, asked));
  }

  listContentReads(
    caller: Caller,
    before: string,
    limit: number,
  ): Page<ContentRead> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => page(stores.contents.listReads(before, limit), limit));
  }

  listRevisions(caller: Caller, id: string) {
    return this.#ask(caller, (tx) => listRevisions(tx, id));
  }

  // Webhooks

  createWebhook(
    caller: Caller,
    request: CreateWebhook,
  ): Promise<ReturnType<typeof createWebhookOnce> | AccessRefusal> {
    return this.#write(caller, (tx) => createWebhookOnce(tx, request));
  }

  listWebhooks(caller: Caller): WebhookList | AccessRefusal {
    return this.#ask(caller, ({ stores }) => ({
      kind: "webhooks" as const,
      webhooks: listWebhooks(stores.outbox),
    }));
  }

  readWebhook(caller: Caller, id: string): ReturnType<typeof readWebhook> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => readWebhook(stores.outbox, id));
  }

  changeWebhook(
    caller: Caller,
    id: string,
    changed: WebhookChange,
  ): Promise<ReturnType<typeof changeWebhook> | AccessRefusal> {
    return this.#write(caller, ({ stores, nowMs }) =>
      changeWebhook(stores.outbox, id, changed, nowMs),
    );
  }

  rotateWebhook(
    caller: Caller,
    request: RotateSecret,
  ): Promise<ReturnType<typeof rotateSecret> | AccessRefusal> {
    return this.#write(caller, ({ stores, nowMs }) => rotateSecret(stores.outbox, request, nowMs));
  }

  deleteWebhook(
    caller: Caller,
    id: string,
  ): Promise<ReturnType<typeof deleteWebhook> | AccessRefusal> {
    return this.#write(caller, ({ stores }) => deleteWebhook(stores.outbox, id));
  }

  async tryWebhook(caller: Caller, id: string): Promise<TriedWebhook | AccessRefusal> {
    const found = this.#ask(caller, ({ stores }) => readWebhook(stores.outbox, id));
    if (found.kind !== "webhook") return found;
    const transact = <Result>(work: (nowMs: number) => Result) =>
      this.#transact(({ nowMs }) => work(nowMs));
    return tryWebhook({ outbox: this.#stores.outbox, dispatcher: this.#dispatcher, transact }, id);
  }

  listDeliveries(
    caller: Caller,
    query: DeliveryQuery,
  ): ReturnType<typeof listDeliveries> | AccessRefusal {
    return this.#ask(caller, ({ stores, nowMs }) => listDeliveries(stores.outbox, query, nowMs));
  }

  replayWebhook(
    caller: Caller,
    request: DeliveriesAsk,
  ): Promise<ReturnType<typeof replayWebhook> | AccessRefusal> {
    return this.#write(caller, ({ stores, nowMs }) => replayWebhook(stores.outbox, request, nowMs));
  }

  replayDelivery(
    caller: Caller,
    id: string,
  ): Promise<ReturnType<typeof replayDelivery> | AccessRefusal> {
    return this.#write(caller, ({ stores, nowMs }) => replayDelivery(stores.outbox, id, nowMs));
  }

  listEvents(
    caller: Caller,
    query: EventQuery,
  ): ({ readonly kind: "events" } & ReturnType<typeof listEvents>) | AccessRefusal {
    return this.#ask(caller, ({ stores }) => ({
      kind: "events" as const,
      ...listEvents(stores.outbox, query),
    }));
  }

  readEvent(caller: Caller, id: string): ReturnType<typeof readEvent> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => readEvent(stores.outbox, id));
  }

  // Batches

  createBatch(caller: Caller, request: NewBatch) {
    return this.#write(caller, (tx) => createBatch(tx, request));
  }

  readBatch(caller: Caller, id: string) {
    return this.#ask(caller, (tx) => readBatch(tx, id));
  }

  listBatches(caller: Caller, before: string, limit: number): Page<Batch> | AccessRefusal {
    return this.#ask(caller, ({ stores }) => page(stores.batches.list(before, limit), limit));
  }

  listBatchSteps(caller: Caller, query: Parameters<typeof listSteps>[1]) {
    return this.#ask(caller, (tx) => listSteps(tx, query));
  }

  cancelBatch(caller: Caller, id: string) {
    return this.#write(caller, (tx) => cancelBatch(tx, id));
  }

  /** The six that follow are asked by the run of a batch, on the platform's behalf. */
  async beginStep(
    generation: number,
    asked: { readonly id: string; readonly step: number },
  ): Promise<StepWork> {
    const work = this.#ofGeneration(generation, OVER, (tx) => beginStep(tx, asked));
    await this.#arm();
    return work;
  }

  async reportStep(generation: number, report: StepReport): Promise<Next> {
    const next = this.#ofGeneration(generation, OVER, (tx) => reportStep(tx, report));
    await this.#arm();
    return next;
  }

  /** 0: there is nothing to do. */
  itemCount(generation: number, id: string): number {
    return this.#ofGeneration(generation, 0, ({ stores }) => stores.batches.read(id)?.items ?? 0);
  }

  /** What a call that has ended was charged; null: it has not ended. */
  chargeOf(generation: number, callId: string): MicroNeurons | null {
    return this.#ofGeneration(generation, null, ({ stores }) => {
      const entry = stores.ledger.entry(callId);
      return entry?.kind === "line" ? charged(entry.line) : null;
    });
  }

  async completeBatch(generation: number, id: string): Promise<void> {
    this.#ofGeneration(generation, undefined, (tx) => completeBatch(tx, id));
    await this.#arm();
  }

  async failBatch(generation: number, asked: Parameters<typeof failBatch>[1]): Promise<void> {
    this.#ofGeneration(generation, undefined, (tx) => failBatch(tx, asked));
    await this.#arm();
  }

  /** A transaction for one generation of the tenant: for another there is nothing to do. */
  #ofGeneration<Result>(generation: number, none: Result, work: (tx: Tx) => Result): Result {
    const profile = this.#profile();
    if (profile === null || profile.closed || profile.generation !== generation) return none;
    return this.#transactions.run(profile, work);
  }

  // One person's data

  /** A page of what is held of a person; `place` null: from the beginning. */
  findPersonal(
    caller: Caller,
    asked: { readonly userId: string; readonly place: Place | null; readonly requestId: string },
  ): PersonalPage | AccessRefusal {
    return this.#ask(caller, (tx) => findPersonal(tx, asked));
  }

  async startErasure(
    caller: Caller,
    asked: { readonly id: string; readonly userId: string },
  ): Promise<ReturnType<typeof startErasure> | AccessRefusal> {
    const profile = this.#profile();
    if (profile === null) return unknownTenant(caller);
    const person = await personHash(asked.userId, profile.contentSecret);
    const started = this.#ask(caller, (tx) => startErasure(tx, { ...asked, person }));
    // In the same turn as the step, so that both are durable or neither is.
    if (started.kind === "erasure") {
      const dueMs = this.#alarm.dueMs(profile, Date.now());
      if (dueMs < Infinity) await this.#setAlarm(dueMs);
    }
    return started;
  }

  readErasure(
    caller: Caller,
    id: string,
  ): { readonly kind: "erasure"; readonly erasure: Erasure } | AccessRefusal {
    return this.#ask(caller, ({ stores }) => {
      const erasure = stores.erasures.read(id);
      return erasure === null ? notFound("erasure") : { kind: "erasure" as const, erasure };
    });
  }

  // The platform's reports

  /** Asked by the consumer of the queue, once it has written them. */
  async rowsArrived(generation: number, epoch: number, rows: readonly RowVersion[]): Promise<void> {
    this.#ofGeneration(generation, undefined, () => this.#feed.arrived(epoch, rows));
    await this.#arm();
  }

  /** Asked by it for days whose hours the reports no longer keep. Null: that life is over. */
  readReportDays(generation: number, days: readonly Day[]): readonly DaySums[] | null {
    return this.#ofGeneration(generation, null, (tx) => readReportDays(tx, days));
  }

  /** Makes the reports of this tenant anew. */
  startRebuild(caller: Caller): Promise<RebuildStatus | AccessRefusal> {
    return this.#write(caller, startRebuild);
  }

  readRebuild(caller: Caller): RebuildStatus | AccessRefusal {
    return this.#ask(caller, readRebuild);
  }

  // The platform's acts, asked by the `Account` object

  /** What all tenants are to know, told to this one because it would not ask. */
  applyAccountView(view: AccountView): void {
    this.#step((tx) => applyAccountView(tx, view));
  }

  /** The account needs what this tenant has leased of a day and does not use. */
  async giveBack(generation: number, day: Day, keep: MicroNeurons): Promise<void> {
    await this.#client.giveBack(generation, day, keep);
    await this.#arm();
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
    const profile = this.#profile();
    if (profile === null) return null;
    let more = this.#transactions.run(profile, () => {
      this.#stores.keys.endAll();
      this.#stores.refusals.flush();
      this.#transactions.writeProfile({ ...profile, closed: true });
      return this.#stores.ledger.expireOpen(profile);
    });
    while (more) {
      // oxlint-disable-next-line no-await-in-loop -- one bounded step after the other
      await this.ctx.storage.sync();
      const ending = this.#profile();
      if (ending === null) return null;
      more = this.#transactions.run(ending, () => this.#stores.ledger.expireOpen(ending));
    }
    const periods = this.#stores.journal.listPeriods(0, Number.MAX_SAFE_INTEGER);
    return { carried: profile.carried, periods };
  }

  /** The second half: nothing of the tenant is left in this object. */
  async erase(): Promise<void> {
    // First in memory: whatever comes in between is answered as unknown and arms no alarm.
    this.#known = false;
    this.#transactions.forget();
    this.#stores.refusals.clear();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#stores.db.forget();
    this.#alarmMs = undefined;
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = null;
    const profile = this.#profile();
    if (profile === null) return;
    try {
      if (await this.#alarm.run(profile)) await this.#setAlarm(Date.now() + 1);
      else await this.#arm();
    } catch (error) {
      report("alarm_failed", error);
      await this.#setAlarm(Date.now() + ALARM_RETRY_MS);
    }
  }

  /** A transaction of a tenant that is there and not being deleted; else null. */
  #step<Result>(work: (tx: Tx) => Result): Result | null {
    const profile = this.#profile();
    if (profile === null || profile.closed) return null;
    return this.#transactions.run(profile, work);
  }

  #profile(): Profile | null {
    return this.#known ? this.#transactions.profile() : null;
  }

  #ask<Result>(caller: Caller, work: (tx: Tx) => Result): Result | AccessRefusal {
    const profile = this.#profile();
    return profile === null ? unknownTenant(caller) : this.#transactions.ask(profile, caller, work);
  }

  #transact<Result>(work: (tx: Tx) => Result): Result {
    const profile = this.#profile();
    if (profile === null) throw new Error("the tenant was erased");
    return this.#transactions.run(profile, work);
  }

  /** As `#ask`, and sets the alarm: something is to be delivered, or to be gone on with. */
  async #write<Result>(caller: Caller, work: (tx: Tx) => Result): Promise<Result | AccessRefusal> {
    const result = this.#ask(caller, work);
    await this.#arm();
    return result;
  }

  /** One alarm, for the earliest thing that is due. */
  async #arm(): Promise<void> {
    const profile = this.#profile();
    if (profile === null) return;
    this.#alarmMs ??= await this.ctx.storage.getAlarm();
    const nowMs = Date.now();
    // Who delivers already takes up at once what was just recorded.
    if (this.#dispatcher.isBusy) this.#dispatcher.wake();
    const outboxMs = profile.closed ? null : this.#alarm.outboxDueMs(nowMs);
    const feedMs = profile.closed ? Infinity : this.#feed.dueMs(nowMs);
    const otherMs = Math.min(feedMs, this.#alarm.dueMs(profile, nowMs));
    const dueMs = outboxMs === null ? otherMs : Math.min(outboxMs, otherMs);
    // A tenant of which nothing is due sleeps until somebody asks.
    if (dueMs === Infinity) return;
    const armed = this.#alarmMs;
    if (armed === null || dueMs < armed || armed < nowMs - STALE_ALARM_MS) {
      await this.#setAlarm(dueMs);
    }
  }

  async #setAlarm(atMs: number): Promise<void> {
    await this.ctx.storage.setAlarm(atMs);
    this.#alarmMs = atMs;
  }
}

const OVER = { kind: "over" } as const;

const report = failureReporter("tenant");

/** A deployment may do without reports: it has neither the queue nor the database, or not both. */
const usageQueueOf = (env: Env): Queue | null => {
  const { USAGE, REPORTS } = env as Partial<Env>;
  return REPORTS === undefined ? null : (USAGE ?? null);
};

export interface WebhookList {
  readonly kind: "webhooks";
  readonly webhooks: readonly WebhookView[];
}

export interface PeriodList {
  readonly kind: "periods";
  readonly tenant: string;
  readonly periods: readonly Period[];
  readonly nowMs: number;
}

export interface TenantCheck extends InvariantCounts {
  readonly kind: "checked";
  readonly deliveries: { readonly waiting: number; readonly failed: number };
}

export interface InvariantList extends InvariantCounts {
  readonly kind: "invariants";
  readonly tenant: string;
}

/** Stores read one row more than asked for, to know whether there is more. */
const page = <Item>(rows: readonly Item[], limit: number): Page<Item> => ({
  kind: "page",
  data: rows.slice(0, limit),
  more: rows.length > limit,
});

const notFound = (what: string): Extract<Failure, { kind: "not_found" }> => ({
  kind: "not_found",
  what,
});

async function withReuseKeys(request: AdmitRequest, profile: Profile): Promise<AdmitRequest> {
  if (request.kind !== "moderation" || request.reuseKeys === undefined) return request;
  const reuseKeys = await keyedDigests(request.reuseKeys, profile.contentSecret);
  return { ...request, reuseKeys };
}
