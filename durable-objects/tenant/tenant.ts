import { DurableObject } from "cloudflare:workers";
import { type Erasure, type Place } from "../../src/domain/erasure.ts";
import type { Failure } from "../../src/domain/failure.ts";
import type { JournalLine } from "../../src/domain/ledger.ts";
import type { Day } from "../../src/domain/period.ts";
import type { Policy, PolicyVersion } from "../../src/domain/policy.ts";
import { MOST_IN_FLIGHT } from "../../src/domain/settings.ts";
import type { Verdict } from "../../src/domain/verdict.ts";
import { migrate, objectDatabase, schemaVersion } from "../database.ts";
import { GroupCommit } from "../group-commit.ts";
import { admit } from "./admit.ts";
import { type Birth, change, type Configured, create, type SettingsChange } from "./configure.ts";
import { type IssueKey, issueKey, type RotateKey, rotateKey } from "./key-desk.ts";
import { erasePersonalFiles, MOST_FILES } from "./erase-personal-files.ts";
import {
  advanceErasures,
  filesErased,
  findPersonal,
  type PersonalPage,
  startErasure,
} from "./erasures.ts";
import type { Key } from "./key-store.ts";
import type { LineQuery, Period } from "./ledger-store.ts";
import { nextDueMs, purge } from "./maintenance.ts";
import { makeParts, type Parts } from "./parts.ts";
import { readPlatform } from "./platform.ts";
import { putPolicy } from "./policy-desk.ts";
import { type ReplayAsk, type ReplayPage, replayPage } from "./policy-replay.ts";
import type { Profile } from "./profile-store.ts";
import type { AdmitReply, AdmitRequest, Caller, SettleReply, SettleRequest } from "./protocol.ts";
import { type AskedCall, quote } from "./quote.ts";
import type { RefusalCount } from "./refusal-store.ts";
import { countInvariants, type InvariantCount, type Limits, limits } from "./reports.ts";
import { keyed, personHash } from "./content-hash.ts";
import { settle } from "./settle.ts";
import { type AskFailure, Steps, unknownTenant } from "./steps.ts";
import { TENANT_MIGRATIONS } from "./tenant-schema.ts";
import type { VerdictPage, VerdictQuery } from "./verdict-store.ts";

type Operation =
  | { readonly kind: "admit"; readonly request: AdmitRequest }
  | { readonly kind: "settle"; readonly request: SettleRequest };

/**
 * Admissions that wait for a commit: as many as could be in progress at all, so that a burst which
 * a tenant's settings allow is admitted, and one that they do not takes no more memory. At 128 a
 * commit the last of them waits for eighty.
 */
const MOST_WAITING = MOST_IN_FLIGHT;

/** An alarm that is this late is stuck: whoever sees it arms a new one. */
const STALE_ALARM_MS = 60_000;

/** After an alarm that threw: the platform would give up after six tries of its own. */
const ALARM_RETRY_MS = 30_000;

/** After files that could not be erased. */
const FILES_RETRY_MS = 10_000;

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
  readonly #parts: Parts;
  readonly #steps: Steps;
  readonly #calls: GroupCommit<Operation, AdmitReply | SettleReply>;
  #known: boolean;
  /** When the alarm is set for; undefined: not looked up since the object started. */
  #alarmMs: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const db = objectDatabase(ctx.storage);
    this.#known = schemaVersion(db) !== null;
    if (this.#known) migrate(db, TENANT_MIGRATIONS);
    this.#parts = makeParts(db, readPlatform(env));
    this.#steps = new Steps(this.#parts, () => Date.now());
    this.#calls = new GroupCommit(
      (operations) => this.#commit(operations),
      () => this.#arm().then(() => db.sync()),
    );
  }

  // Governed calls

  async admit(request: AdmitRequest): Promise<AdmitReply> {
    if (this.#profile() === null) return { kind: "invalid_key" };
    if (this.#calls.waiting >= MOST_WAITING && !this.#isKnown(request)) {
      return { kind: "unavailable" };
    }
    return (await this.#calls.run({ kind: "admit", request })) as AdmitReply;
  }

  async settle(request: SettleRequest): Promise<SettleReply> {
    const profile = this.#profile();
    if (profile === null) {
      return { settlement: { kind: "unknown_hold" }, verdicts: [], standing: null };
    }
    const verdicts = await keyed(request.verdicts, profile.contentSecret);
    const operation = { kind: "settle" as const, request: { ...request, verdicts } };
    return (await this.#calls.run(operation)) as SettleReply;
  }

  /** A repeat of what was admitted is never turned away: its hold is taken and must be told of. */
  #isKnown({ callId }: AdmitRequest): boolean {
    return this.#parts.ledger.entry(callId) !== null;
  }

  /** What such a call would cost; nothing is reserved, and it takes no rate. */
  quote(caller: Caller, asked: AskedCall): ReturnType<typeof quote> | AskFailure {
    return this.#ask(caller, (profile) => quote(this.#parts, profile, asked));
  }

  #commit(operations: readonly Operation[]): (AdmitReply | SettleReply)[] {
    const profile = this.#profile();
    if (profile === null) throw new Error("the tenant was erased");
    return this.#steps.run(profile, () =>
      operations.map((operation) =>
        operation.kind === "admit"
          ? admit(this.#parts, profile, operation.request)
          : settle(this.#parts, profile, operation.request),
      ),
    );
  }

  // Settings

  configure(request: {
    readonly birth: Birth;
    readonly change: SettingsChange;
    readonly ifMatch: number | null;
  }): Configured | AskFailure {
    const profile = this.#profile();
    if (profile?.closed === true) return notFound("tenant");
    if (profile !== null) return change(this.#steps, profile, request);
    if (request.change.kind === "patch") return { kind: "not_found", what: "tenant" };
    if (request.ifMatch !== null) return { kind: "version_conflict", version: 0 };
    const { settings } = request.change;
    const made = { birth: request.birth, settings, wallMs: Date.now() };
    const created = create(this.#parts, this.#steps, made);
    this.#known = true;
    return created;
  }

  readProfile(
    caller: Caller,
  ): { readonly kind: "profile"; readonly profile: Profile } | AskFailure {
    return this.#ask(caller, (profile) => ({ kind: "profile" as const, profile }));
  }

  // Keys

  issueKey(caller: Caller, request: IssueKey): ReturnType<typeof issueKey> | AskFailure {
    return this.#ask(caller, (_, nowMs) => issueKey(this.#parts, request, nowMs));
  }

  rotateKey(caller: Caller, request: RotateKey): ReturnType<typeof rotateKey> | AskFailure {
    return this.#ask(caller, (_, nowMs) => rotateKey(this.#parts, request, nowMs));
  }

  listKeys(caller: Caller, before: string, limit: number): Page<Key> | AskFailure {
    return this.#ask(caller, () => page(this.#parts.keys.list(before, limit), limit));
  }

  endKey(caller: Caller, id: string): { readonly kind: "ended" } | AskFailure {
    return this.#ask(caller, () =>
      this.#parts.keys.end(id) ? { kind: "ended" as const } : notFound("key"),
    );
  }

  // Policies

  listPolicies(caller: Caller, after: string, limit: number): Page<PolicyVersion> | AskFailure {
    return this.#ask(caller, () => page(this.#parts.policies.list(after, limit), limit));
  }

  readPolicy(
    caller: Caller,
    name: string,
    version: number | null,
  ): { readonly kind: "policy"; readonly policy: PolicyVersion } | AskFailure {
    return this.#ask(caller, () => {
      const policy = this.#parts.policies.read(name, version);
      return policy === null ? notFound("policy") : { kind: "policy" as const, policy };
    });
  }

  putPolicy(
    caller: Caller,
    name: string,
    policy: Policy,
  ): ReturnType<typeof putPolicy> | AskFailure {
    return this.#ask(caller, (profile, nowMs) =>
      putPolicy(this.#parts, profile, { name, policy, nowMs }),
    );
  }

  /** One page of a replay: nothing is asked, admitted or paid. */
  replayPolicy(caller: Caller, asked: ReplayAsk): ReplayPage | AskFailure {
    return this.#ask(caller, () => replayPage(this.#parts, asked));
  }

  // Reading

  readLimits(caller: Caller): Limits | AskFailure {
    return this.#ask(caller, (profile) => limits(this.#parts, profile));
  }

  listLines(caller: Caller, query: LineQuery): Page<JournalLine> | AskFailure {
    return this.#ask(caller, () => page(this.#parts.journal.listLines(query), query.limit));
  }

  listPeriods(caller: Caller, from: Day, to: Day): PeriodList | AskFailure {
    return this.#ask(caller, (profile, nowMs) => {
      this.#parts.refusals.flush();
      this.#parts.ledger.flush();
      const periods = this.#parts.journal.listPeriods(from, to);
      return { kind: "periods" as const, tenant: profile.id, periods, nowMs };
    });
  }

  listRefusals(
    caller: Caller,
    query: { readonly fromMinute: number; readonly toMinute: number; skip: number; limit: number },
  ): Page<RefusalCount> | AskFailure {
    return this.#ask(caller, () => {
      this.#parts.refusals.flush();
      const { fromMinute, toMinute } = query;
      return page(this.#parts.refusals.list(fromMinute, toMinute, query), query.limit);
    });
  }

  countInvariants(caller: Caller): InvariantList | AskFailure {
    return this.#ask(caller, (profile, nowMs) => ({
      kind: "invariants" as const,
      tenant: profile.id,
      counts: countInvariants(this.#parts, profile),
      nowMs,
    }));
  }

  listVerdicts(
    caller: Caller,
    query: VerdictQuery,
  ): ({ readonly kind: "verdicts" } & VerdictPage) | AskFailure {
    return this.#ask(caller, () => ({
      kind: "verdicts" as const,
      ...this.#parts.verdicts.list(query),
    }));
  }

  readVerdict(
    caller: Caller,
    id: string,
  ): { readonly kind: "verdict"; readonly verdict: Verdict } | AskFailure {
    return this.#ask(caller, () => {
      const verdict = this.#parts.verdicts.read(id);
      return verdict === null ? notFound("verdict") : { kind: "verdict" as const, verdict };
    });
  }

  // One person's data

  /** A page of what is held of a person; `place` null: from the beginning. */
  findPersonal(caller: Caller, userId: string, place: Place | null): PersonalPage | AskFailure {
    return this.#ask(caller, () => findPersonal(this.#parts, userId, place));
  }

  async startErasure(
    caller: Caller,
    asked: { readonly id: string; readonly userId: string },
  ): Promise<ReturnType<typeof startErasure> | AskFailure> {
    const profile = this.#profile();
    if (profile === null) return unknownTenant(caller);
    const person = await personHash(asked.userId, profile.contentSecret);
    const started = this.#ask(caller, (_, nowMs) =>
      startErasure(this.#parts, { ...asked, person }, nowMs),
    );
    // In the same turn as the step, so that both are durable or neither is.
    if (started.kind === "erasure") {
      await this.#setAlarm(nextDueMs(this.#parts, profile, Date.now()));
    }
    return started;
  }

  readErasure(
    caller: Caller,
    id: string,
  ): { readonly kind: "erasure"; readonly erasure: Erasure } | AskFailure {
    return this.#ask(caller, () => {
      const erasure = this.#parts.erasures.read(id);
      return erasure === null ? notFound("erasure") : { kind: "erasure" as const, erasure };
    });
  }

  // The platform's acts, asked by the `Account` object

  /** Lifts the closure of the day after an upstream 3036 or 4006. */
  reopenAccount(): void {
    const profile = this.#profile();
    if (profile !== null) this.#steps.run(profile, () => this.#parts.ledger.reopenAccount());
  }

  /**
   * The first half of a deletion: keys end, nothing is admitted, open holds end. Repeatable.
   *
   * @returns the totals of every day, without persons or content; null when there is nothing
   */
  close(): { readonly carried: Profile["carried"]; readonly periods: readonly Period[] } | null {
    const profile = this.#profile();
    if (profile === null) return null;
    this.#steps.run(profile, () => {
      this.#parts.keys.endAll();
      this.#parts.ledger.expireAll(profile);
      this.#parts.refusals.flush();
      this.#steps.writeProfile({ ...profile, closed: true });
    });
    const periods = this.#parts.journal.listPeriods(0, Number.MAX_SAFE_INTEGER);
    return { carried: profile.carried, periods };
  }

  /** The second half: nothing of the tenant is left in this object. */
  async erase(): Promise<void> {
    // First in memory: whatever comes in between is answered as unknown and arms no alarm.
    this.#known = false;
    this.#steps.forget();
    this.#parts.refusals.clear();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#alarmMs = undefined;
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = null;
    const profile = this.#profile();
    if (profile === null) return;
    try {
      const more = this.#steps.run(profile, (nowMs) => {
        this.#parts.refusals.flush();
        return [purge(this.#parts, profile, nowMs), advanceErasures(this.#parts, nowMs)].includes(
          true,
        );
      });
      await this.#eraseFiles(profile);
      if (more) await this.#setAlarm(Date.now() + 1);
      else await this.#arm();
    } catch (error) {
      this.#report("alarm_failed", error);
      await this.#setAlarm(Date.now() + ALARM_RETRY_MS);
    }
  }

  /** Of the erasure that is due first. */
  async #eraseFiles({ id: tenant, generation: life }: Profile): Promise<void> {
    const { erasures } = this.#parts;
    const due = erasures.running().find(({ filesDueMs }) => (filesDueMs ?? Infinity) <= Date.now());
    if (due === undefined || due.userId === null) return;
    const { userId } = due;
    const files = erasures.listFiles(due.id, MOST_FILES);
    const bucket = (this.env as Partial<Env>).IMAGES ?? null;
    const gone =
      bucket === null
        ? { files, counts: [], failed: false }
        : await erasePersonalFiles(bucket, { tenant, life, userId }, files);
    const profile = this.#profile();
    if (profile === null) return;
    this.#steps.run(profile, (nowMs) => {
      const retryAtMs = gone.failed ? nowMs + FILES_RETRY_MS : nowMs;
      filesErased(this.#parts, due.id, gone, { nowMs, retryAtMs });
    });
  }

  #profile(): Profile | null {
    return this.#known ? this.#steps.profile() : null;
  }

  #ask<Result>(
    caller: Caller,
    work: (profile: Profile, nowMs: number) => Result,
  ): Result | AskFailure {
    const profile = this.#profile();
    return profile === null ? unknownTenant(caller) : this.#steps.ask(profile, caller, work);
  }

  /** One alarm, for the earliest thing that is due. */
  async #arm(): Promise<void> {
    const profile = this.#profile();
    if (profile === null) return;
    this.#alarmMs ??= await this.ctx.storage.getAlarm();
    const nowMs = Date.now();
    const dueMs = nextDueMs(this.#parts, profile, nowMs);
    const armed = this.#alarmMs;
    if (armed === null || dueMs < armed || armed < nowMs - STALE_ALARM_MS) {
      await this.#setAlarm(dueMs);
    }
  }

  async #setAlarm(atMs: number): Promise<void> {
    await this.ctx.storage.setAlarm(atMs);
    this.#alarmMs = atMs;
  }

  /** The name of what failed, never its message: that may hold content. */
  #report(event: string, error: unknown): void {
    const name = error instanceof Error ? error.name : "unknown";
    // oxlint-disable-next-line no-console -- structured logs go to the console
    console.error(JSON.stringify({ level: "error", event, object: "tenant", error: name }));
  }
}

export interface PeriodList {
  readonly kind: "periods";
  readonly tenant: string;
  readonly periods: readonly Period[];
  readonly nowMs: number;
}

export interface InvariantList {
  readonly kind: "invariants";
  readonly tenant: string;
  readonly counts: readonly InvariantCount[];
  readonly nowMs: number;
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
