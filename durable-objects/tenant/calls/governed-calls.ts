import { closed, isLiftedBy } from "../../../src/domain/account/account-budget.ts";
import { type AdmissionState, limitInForce } from "../../../src/domain/ledger/admission.ts";
import { countVerdicts, keptCounts } from "../../../src/domain/ledger/day-totals.ts";
import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { limitsObject } from "../../../src/domain/ledger/limits.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import { withoutBan } from "../../../src/domain/moderation/category.ts";
import type { KeptContent } from "../../../src/domain/moderation/kept-content.ts";
import { rateUnits } from "../../../src/domain/moderation/stage.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import { MOST_IN_FLIGHT } from "../../../src/domain/tenant/settings.ts";
import { GroupCommit } from "../../database.ts";
import { WEBHOOKS } from "../../outbox/outbox-schema.ts";
import type { TenantContext } from "../feature.ts";
import { limits } from "../invariants.ts";
import type { Profile } from "../profile-store.ts";
import type {
  AdmitReply,
  AdmitRequest,
  Caller,
  QuotedCall,
  SettleReply,
  SettleRequest,
} from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { endDocument } from "../documents/documents.ts";
import { makeReady } from "../search/vector-sets.ts";
import { keepContents } from "../verdicts/contents.ts";
import type { Entry } from "../ledger/ledger-row.ts";
import { noteDrift } from "../drift/drift.ts";
import { noteVerdict } from "../verdicts/moderation-log.ts";
import { noteReusable } from "../verdicts/reuse.ts";
import { type Admission, admit, giveBackPictures } from "./admit.ts";
import { MAY_READ, mayRead, type ReadReply, type ReadRequest } from "./may-read.ts";
import { limitStatus } from "./plan-call.ts";
import { quote } from "./quote.ts";
import { keepReply } from "./replay.ts";

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
 * them get through, and a call that is refused gets its reply at once.
 */
const MOST_ROUNDS = 20;

/** Admissions and settlements of a tenant's object: concurrent ones share commits. */
export class GovernedCalls {
  readonly #context: TenantContext;
  readonly #hashes: ContentHashes;
  readonly #commits: GroupCommit<Operation, Admission | SettleReply>;

  /** @param sync resolves when what was committed is durable */
  constructor(context: TenantContext, hashes: ContentHashes, sync: () => Promise<void>) {
    this.#context = context;
    this.#hashes = hashes;
    this.#commits = new GroupCommit(
      (operations) => this.#commit(operations),
      () => context.arm().then(sync),
    );
  }

  async admit(sent: AdmitRequest): Promise<AdmitReply> {
    const { arm, profile: read, client, stores } = this.#context;
    const profile = read();
    if (profile === null) return { kind: "invalid_key" };
    const request = await this.#withReuseKeys(sent, profile);
    const isFull = this.#commits.waiting + client.waiting >= MOST_WAITING;
    // A repeat of an admission is never turned away: its hold is taken, and the router must know.
    if (isFull && !stores.ledger.has(request.callId)) return { kind: "unavailable" };
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- once more when the account was asked
      const reply = (await this.#commits.run({ kind: "admit", request })) as Admission;
      if (reply.kind !== "needs_lease") return reply;
      // oxlint-disable-next-line no-await-in-loop
      if (!(await client.request(reply.missing))) break;
    }
    // The account's share of the day, if it has one, is to be reported.
    await arm();
    return { kind: "unavailable" };
  }

  async settle(request: SettleRequest): Promise<SettleReply> {
    const { profile: read, client, outside } = this.#context;
    const profile = read();
    if (profile === null) {
      return { settlement: { kind: "unknown_hold" }, verdicts: [], standing: null };
    }
    const verdicts = await this.#hashes.keyed(request.verdicts, profile.contentSecret);
    const operation = { kind: "settle" as const, request: { ...request, verdicts } };
    const reply = (await this.#commits.run(operation)) as SettleReply;
    if (request.account !== null) outside.waitUntil(client.tellNews());
    return reply;
  }

  /** Whether a large body is worth reading, or a file may be converted; nothing is reserved. */
  async mayRead(request: ReadRequest): Promise<ReadReply> {
    const { transact, arm } = this.#context;
    const reply = transact((tx) => mayRead(tx, request));
    if (reply === null) return { kind: "invalid_key" };
    // A refusal is counted, and webhooks may tell of it.
    if (reply.kind !== MAY_READ.kind && reply.kind !== "key_ended") await arm();
    return reply;
  }

  /** What such a call would cost; nothing is reserved, and it takes no rate. */
  async quote(caller: Caller, call: QuotedCall) {
    const { ask, client } = this.#context;
    const access = ask(caller, () => null);
    if (access !== null) return access;
    await client.look();
    return ask(caller, (tx) => quote(tx, call));
  }

  #commit(operations: readonly Operation[]): (Admission | SettleReply)[] {
    return this.#context.transactOrThrow((tx) =>
      operations.map((operation) =>
        operation.kind === "admit" ? admit(tx, operation.request) : settle(tx, operation.request),
      ),
    );
  }

  async #withReuseKeys(request: AdmitRequest, profile: Profile): Promise<AdmitRequest> {
    if (request.kind !== "moderation" || request.reuseKeys === undefined) return request;
    const reuseKeys = await this.#hashes.keyedDigests(request.reuseKeys, profile.contentSecret);
    return { ...request, reuseKeys };
  }
}

/**
 * Settlement, in one transaction: the hold becomes its line and the verdicts are stored, or neither.
 */
export function settle(tx: Tx, request: SettleRequest): SettleReply {
  const before = tx.stores.ledger.entry(request.callId);
  const { contents = [] } = request;
  const items = {
    stored: request.verdicts.length,
    tests: request.verdicts.filter(({ test }) => test).length,
  };
  const units = before?.kind === "hold" ? rateUnits(before.hold.stages, items) : { requests: 0 };
  const verdictId = request.verdicts.length === 1 ? (request.verdicts[0]?.id ?? null) : null;
  const planned = before?.kind === "hold" ? before.hold.stages : [];
  const counts = keptCounts(countVerdicts(request.verdicts, planned), verdictId);
  const settlement = tx.stores.ledger.settle(tx.profile, request.callId, {
    items: request.items,
    verdictId,
    ...(counts !== undefined && { verdicts: counts }),
  });
  const { documentTasks } = request;
  const isThere =
    documentTasks === undefined ||
    endDocument(tx, { file: request.callId, route: routeOf(before) }, documentTasks);
  // What quotes a deleted document is not kept.
  const isGone = !isThere && documentTasks !== null;
  const gone = isGone ? ({ documentGone: true } as const) : {};
  const reply = isGone ? null : request.reply;
  if (request.vectors !== undefined && before !== null) makeReady(tx, request.vectors);
  const admittedAtMs = before?.kind === "hold" ? before.hold.admittedAtMs : null;
  noteAccount(tx, { account: request.account, admittedAtMs });
  switch (settlement.kind) {
    case "unknown_hold":
      return { settlement, verdicts: [], standing: null };
    case "settled":
      if (before?.kind === "hold") giveBackPictures(tx, before.hold, request.items);
      if (reply !== null) keepReply(tx, settlement.line, reply);
      return {
        ...stored(tx, { settlement, verdicts: request.verdicts, units, contents }),
        ...gone,
      };
    case "settled_late": {
      if (reply !== null) keepReply(tx, settlement.line, reply);
      // What came late is kept, at the price that the expired hold has paid already.
      const verdicts = request.verdicts.map((verdict, content) =>
        atLinePrices(verdict, settlement.line, content),
      );
      if (verdictId !== null && settlement.line.verdictId === null) {
        tx.stores.journal.nameVerdict(request.callId, verdictId);
      }
      return { ...stored(tx, { settlement, verdicts, units, contents }), ...gone };
    }
    case "already_settled": {
      const verdicts = request.verdicts
        .map(({ id }) => tx.stores.verdicts.read(id))
        .filter((verdict) => verdict !== null);
      return { settlement, verdicts, standing: limitStatus(tx, units), ...gone };
    }
  }
}

const routeOf = (entry: Entry | null): string | null =>
  entry === null ? null : entry.kind === "hold" ? entry.hold.route : entry.line.route;

function stored(
  tx: Tx,
  made: {
    settlement: SettleReply["settlement"];
    verdicts: readonly Verdict[];
    units: RateUnits;
    contents: readonly KeptContent[];
  },
): SettleReply {
  const { settlement, verdicts, units } = made;
  const callId = settlement.kind === "unknown_hold" ? "" : settlement.line.callId;
  const now = tx.stores.ledger.standing(tx.profile);
  const standing = limitStatus(tx, units, now);
  recordThreshold(tx, now);
  const dated = verdicts.map((verdict) => ({ ...verdict, createdAtMs: tx.nowMs }));
  for (const { batchId } of dated)
    if (batchId !== null) tx.stores.batches.noteSign(batchId, tx.nowMs);
  let changed = false;
  for (const sent of dated) {
    const verdict = withBanAfter(tx, sent);
    changed ||= verdict !== sent;
    if (!tx.stores.verdicts.insert(verdict, callId)) continue;
    if (verdict.reuse !== undefined) noteReusable(tx, verdict);
    if (verdict.stages.some(({ sample }) => sample !== undefined)) noteDrift(tx, verdict);
    recordVerdict(tx, verdict);
    // The fold of its line may have come before it.
    if (settlement.kind === "settled_late") noteVerdict(tx, verdict);
  }
  if (made.contents.length > 0) keepContents(tx, made.contents);
  if (settlement.kind === "settled" && !changed) return { settlement, verdicts: null, standing };
  // What was stored is not what was sent. And a late settle may be repeated: what the first one stored
  // holds.
  const kept = dated.map((verdict) => tx.stores.verdicts.read(verdict.id) ?? verdict);
  return { settlement, verdicts: kept, standing };
}

/** The share of the limit in force from which a tenant is warned, once a day. */
const THRESHOLD = 0.8;

/** The data has the limits as they stand after what was posted. */
function recordThreshold(tx: Tx, now: AdmissionState): void {
  const limit = limitInForce(now);
  if (limit === null || now.posted < limit * THRESHOLD) return;
  const data = () => ({ ...limitsObject(limits(tx)), threshold: THRESHOLD });
  tx.stores.outbox.recordOnceADay("quota.threshold", data, tx.nowMs);
}

/** For the tenant's own endpoints: without any, and before their tables exist, nobody wants it. */
function recordVerdict(tx: Tx, { id, decision }: Verdict): void {
  if (!tx.stores.db.of(WEBHOOKS).isThere) return;
  const draft = { type: "moderation.verdict", subject: id, decision, data: null } as const;
  tx.stores.outbox.record(draft, tx.nowMs);
}

/** This tenant knows at once. The account, and through it all others, gets it as news. */
function noteAccount(
  tx: Tx,
  { account, admittedAtMs }: { account: SettleRequest["account"]; admittedAtMs: number | null },
): void {
  if (account === null || admittedAtMs === null) return;
  const day = dayOf(admittedAtMs);
  const { nowMs: learnedAtMs, stores } = tx;
  if (account === "exhausted") {
    stores.ledger.setClosure(closed(stores.ledger.closure(), day, learnedAtMs));
    stores.budget.learn({ kind: "exhausted", day, admittedAtMs, learnedAtMs });
    return;
  }
  const closure = stores.ledger.closure();
  if (closure === null || !isLiftedBy(closure, admittedAtMs)) return;
  stores.ledger.setClosure(null);
  stores.budget.learn({ kind: "answered", day: closure.day, admittedAtMs, learnedAtMs });
}

/** The verdict with its stages at what the line charged for them. */
function atLinePrices(verdict: Verdict, line: JournalLine, content: number): Verdict {
  const items = line.items.filter((item) => item.content === content);
  const stages = verdict.stages.map((stage) => {
    const item = items.find(
      ({ stage: name, input }) => name === stage.name && input === stage.input,
    );
    return item === undefined
      ? stage
      : { ...stage, micro_neurons: item.microNeurons, basis: item.basis };
  });
  const microNeurons = items.reduce((total, item) => total + item.microNeurons, 0);
  return { ...verdict, stages, microNeurons };
}

// A policy may advise to ban a person only after so many blocks. Only this object knows a person's
// verdicts, so the advice is decided here, with the count.

const DAY_MS = 86_400_000;

/** The verdict as its policy's `ban_after` has it, before it is stored. */
function withBanAfter(tx: Tx, verdict: Verdict): Verdict {
  if (!verdict.actions.includes("ban_user")) return verdict;
  const { name, version } = verdict.policy;
  const after = tx.stores.policies.read(name, version)?.policy.ban_after;
  if (after === undefined) return verdict;
  const before =
    verdict.userId === null
      ? 0
      : tx.stores.verdicts.countBlocks(verdict.userId, verdict.createdAtMs - after.days * DAY_MS);
  // Without a person nothing can be counted, and nobody is to be banned.
  const isReached = verdict.userId !== null && before + 1 >= after.blocks;
  return isReached ? verdict : { ...verdict, actions: withoutBan(verdict.actions) };
}

// Hashes of contents and persons, keyed by the tenant's own secret.

const UTF8 = new TextEncoder();

/**
 * The verdicts with their content digests keyed by the tenant's own secret (HMAC-SHA-256, hex):
 * the same content hashes alike within the tenant, and tells nothing outside it.
 */
export async function keyed(verdicts: readonly Verdict[], secret: string): Promise<Verdict[]> {
  const hash = await hasher(secret);
  return Promise.all(
    verdicts.map(async (verdict) => ({
      ...verdict,
      contentHash: await hash(verdict.contentHash),
    })),
  );
}

/** Digests of contents, keyed alike; 128 bits, since each is stored twice. */
export async function keyedDigests(
  digests: readonly (string | null)[],
  secret: string,
): Promise<(string | null)[]> {
  const hash = await hasher(secret);
  return Promise.all(
    digests.map(async (digest) =>
      digest === null ? null : (await hash(`reuse:${digest}`)).slice(0, 32),
    ),
  );
}

/** What stands for a person's id where it may no longer stand itself. */
export const personHash = async (userId: string, secret: string): Promise<string> =>
  (await hasher(secret))(`person:${userId}`);

async function hasher(secret: string): Promise<(text: string) => Promise<string>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", UTF8.encode(secret), algorithm, false, ["sign"]);
  return async (text) =>
    new Uint8Array(await crypto.subtle.sign("HMAC", key, UTF8.encode(text))).toHex();
}

/** How contents are hashed; a simulation has hashes of its own, which take no turn of the event loop. */
export interface ContentHashes {
  readonly keyed: typeof keyed;
  readonly keyedDigests: typeof keyedDigests;
}

export const CONTENT_HASHES: ContentHashes = { keyed, keyedDigests };
