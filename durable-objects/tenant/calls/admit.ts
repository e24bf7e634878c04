import type { NeedsLease } from "../../../src/domain/account/account-budget.ts";
import { CATALOGUE_VERSION } from "../../../src/domain/catalogue/catalogue.ts";
import type { UserPictures } from "../../../src/domain/ledger/admission.ts";
import {
  type Hold,
  type Item,
  type JournalLine,
  parentOf,
} from "../../../src/domain/ledger/ledger.ts";
import { sum } from "../../../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import {
  isSharing,
  scoreUnits,
  withoutRequest,
  withShare,
} from "../../../src/domain/ledger/rate-limit.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import type { PolicyVersion } from "../../../src/domain/moderation/policy.ts";
import { DEFAULT_MODEL, planAnalysis } from "../../../src/domain/documents/plan-analysis.ts";
import { modelsFor } from "../../../src/domain/tenant/settings.ts";
import { type PlannedStage, rateUnits } from "../../../src/domain/moderation/stage.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
import { endOfDay, expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import { beginDocument, takenId } from "../documents/documents.ts";
import type { Entry } from "../ledger/ledger-row.ts";
import { BEING_EMBEDDED, claim, isClaimed } from "../search/embedding-claim.ts";
import { countRefusal } from "../ledger/refusals.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Profile } from "../profile-store.ts";
import type {
  Admitted,
  AdmitFailure,
  AdmitReply,
  AdmitRequest,
  DocumentAdmit,
  GenerationAdmit,
  ModerationAdmit,
  PolicyRequest,
} from "../protocol.ts";
import type { TenantStores } from "../stores.ts";
import { authorise, type Tx } from "../transactions.ts";
import { expectFiles } from "../verdicts/contents.ts";
import { notReused, type Reuse, reuseAgain, reuseFor } from "../verdicts/reuse.ts";
import { USER_PICTURES } from "./call-schema.ts";
import {
  limitStatus,
  findPolicy,
  fitting,
  generationPlan,
  itemsOf,
  modelFinder,
  NO_SUCH_POLICY,
} from "./plan-call.ts";
import { remember, replayOf } from "./replay.ts";
import { fallbackStages, scoringAdmitted } from "./scoring.ts";

// Admission, in one transaction: all checks, always in the same order, and then all changes.

/** 60 s to the first byte of an engine's answer, and 30 s to settle. */
const DEADLINE_MS = 90_000;

/** A stream may last 10 minutes from its first byte. */
const STREAM_DEADLINE_MS = 690_000;

/** The share of the storage limit beyond which nothing is admitted, so that a settle still fits. */
const STORAGE_MARGIN = 0.9;

/** `needs_lease`: nothing was counted or kept. The object asks the account, and admits again. */
export type Admission = AdmitReply | NeedsLease;

export function admit(tx: Tx, request: AdmitRequest): Admission {
  const entry = tx.profile.closed ? null : tx.stores.ledger.entry(request.callId);
  if (entry !== null) return repeated(tx, request, entry);
  if (tx.stores.feed.isBefore(request.callId)) return { kind: "unavailable" };
  const access = authorise(tx, request.caller);
  if (access.kind === "invalid_key") return access;
  if (access.kind !== "granted") {
    countRefusal(tx, request, access);
    return access;
  }
  const byKey: Tx = { ...tx, keyId: access.keyId };
  const reply = admitAs(byKey, request, access.role);
  if (reply.kind !== "needs_lease") countRefusal(byKey, request, reply);
  return reply;
}

/**
 * The same admit again, after its first answer was lost: the same hold, also when its key or its
 * tenant's rights have ended meanwhile. If the hold itself has ended, there is no second chance to
 * run: what it came to is given again, where that is stored.
 */
function repeated(tx: Tx, request: AdmitRequest, entry: Entry): AdmitReply {
  if (entry.kind === "line") return ended(tx, request, entry.line);
  if (request.kind === "generation") {
    const guarded = request.guard !== null && entry.hold.stages.length > 1;
    const policy = guarded ? findPolicy(tx, request.guard.policy.name) : null;
    return generationAdmitted(tx, { request, hold: entry.hold, policy });
  }
  if (request.kind === "scoring") {
    return scoringAdmitted(tx, { hold: entry.hold, byScoreKey: false });
  }
  if (request.kind === "document") return documentAdmitted(tx, entry.hold);
  const policy = findPolicy(tx, request.policy.name);
  const { hold } = entry;
  const reuse = policy === null ? null : reuseAgain(tx, request, { hold, policy });
  if (policy === null || reuse === null) return { kind: "unavailable" };
  const named = policyReply(tx.profile, policy, request.policy);
  return moderationAdmitted(tx.profile, { hold, policy: named, reuse });
}

function ended(tx: Tx, request: AdmitRequest, line: JournalLine): AdmitReply {
  if (request.kind !== "moderation") return replayOf(tx, request) ?? { kind: "unavailable" };
  const verdicts = request.verdictIds.flatMap((id) => tx.stores.verdicts.read(id) ?? []);
  if (verdicts.length < request.verdictIds.length) return { kind: "unavailable" };
  const standing = limitStatus(tx, { requests: 0 });
  return { kind: "replayed", verdicts, reply: null, line, standing };
}

/** @param role of the key; null: it is the platform */
function admitAs(tx: Tx, request: AdmitRequest, role: Role | null): Admission {
  const replay = request.idempotency === null ? null : replayOf(tx, request);
  if (replay !== null) return replay;
  switch (request.kind) {
    case "generation":
      return admitGeneration(tx, request);
    case "moderation":
      return admitModeration(tx, request);
    case "document":
      return admitDocument(tx, request);
    case "scoring": {
      const byScoreKey = role === "score";
      const stages = byScoreKey ? [] : fallbackStages(tx, request);
      const outcome = reserve(tx, request, { stages, byScoreKey });
      if (outcome.kind !== "reserved") return outcome;
      return scoringAdmitted(tx, { hold: outcome.hold, byScoreKey });
    }
  }
}

function admitModeration(tx: Tx, request: ModerationAdmit): Admission {
  const policy = findPolicy(tx, request.policy.name);
  if (policy === null) return NO_SUCH_POLICY;
  const plan = planModeration(policy.policy, request.contents, modelFinder(tx));
  if (plan.kind !== "planned") return plan;
  const mayReuse = policy.policy.reuse_ttl_s !== undefined;
  const reuse = mayReuse
    ? reuseFor(tx, request, { policy, stages: plan.stages, atMs: tx.nowMs })
    : [];
  const stages = mayReuse ? notReused(plan.stages, reuse) : plan.stages;
  const outcome = reserve(tx, request, { stages });
  if (outcome.kind !== "reserved") return outcome;
  const { hold } = outcome;
  if (request.contents.some(({ pictures }) => pictures > 0)) expectFiles(tx, request, hold);
  const named = policyReply(tx.profile, policy, request.policy);
  return moderationAdmitted(tx.profile, { hold, policy: named, reuse });
}

function admitGeneration(tx: Tx, request: GenerationAdmit): Admission {
  const plan = generationPlan(tx, request);
  if (plan.kind !== "planned") return plan;
  const { embeds } = request;
  if (embeds !== undefined && isClaimed(tx, embeds)) return BEING_EMBEDDED;
  const outcome = reserve(tx, request, { stages: plan.stages });
  switch (outcome.kind) {
    case "reserved": {
      if (embeds !== undefined) claim(tx, embeds, request.callId);
      const { policy } = plan;
      return generationAdmitted(tx, { request, hold: outcome.hold, policy });
    }
    // Fewer tokens would cost less.
    case "over_limit":
    case "quota_exceeded":
    case "overage_cap_exceeded":
      return { ...outcome, ...fitting(tx, request) };
    case "quota_reserved":
      // How much would fit of what others leased, nobody knows.
      if (outcome.againAtMs !== undefined) return outcome;
      return { ...outcome, ...fitting(tx, request) };
    default:
      return outcome;
  }
}

function admitDocument(tx: Tx, request: DocumentAdmit): Admission {
  const { document } = request;
  const taken = document === undefined ? null : takenId(tx, document);
  if (taken !== null) return taken;
  const models = modelsFor(tx.profile.settings, request.model ?? DEFAULT_MODEL);
  const plan = planAnalysis(request.tasks, models, modelFinder(tx));
  if (plan.kind !== "planned") return plan;
  const outcome = reserve(tx, request, { stages: plan.stages });
  if (outcome.kind !== "reserved") return outcome;
  if (document !== undefined) beginDocument(tx, document, outcome.hold);
  return documentAdmitted(tx, outcome.hold);
}

/** Everything checked, then the hold and the idempotency key committed. */
function reserve(
  tx: Tx,
  request: AdmitRequest,
  call: {
    readonly stages: readonly PlannedStage[];
    /** For a key of role `score`: these keys have a share of each rate, all of them together. */
    readonly byScoreKey?: boolean;
  },
): ReturnType<TenantStores["ledger"]["reserve"]> | Extract<AdmitFailure, { kind: "storage_full" }> {
  const { stages, byScoreKey = false } = call;
  if (isStorageFull(tx)) return { kind: "storage_full" };
  const { nowMs, keyId } = tx;
  const { userId } = request;
  const pictures = userPicturesOf(tx, { userId, stages });
  const isOfBatch = isSharing(request.route);
  const all = scoreUnits(rateUnits(stages, itemsOf(request)), byScoreKey);
  const units = request.requestTaken === true ? withoutRequest(all) : all;
  const demand = {
    bound: sum(stages.map((stage) => stage.bound)),
    units: isOfBatch ? withShare(units) : units,
    stages: stages.length,
    ...(isOfBatch && { inFlightOfBatches: inFlightOfBatches(tx) }),
    ...(pictures !== null && { userPictures: pictures }),
    ...(asksNoEngine(request, stages) && { asksNoEngine: true as const }),
  };
  const streamed = request.kind === "generation" && request.streamed;
  const made = {
    callId: request.callId,
    requestId: request.requestId,
    route: request.route,
    keyId,
    userId,
    ...parentOf(request),
    ...(request.context !== null && { context: request.context }),
    deadlineMs: nowMs + (streamed ? STREAM_DEADLINE_MS : DEADLINE_MS),
    priceBook: CATALOGUE_VERSION,
    stages,
  };
  const outcome = tx.stores.ledger.reserve(tx.profile, made, demand);
  if (outcome.kind !== "reserved") return outcome;
  if (request.idempotency !== null) remember(tx, request, request.idempotency);
  if (pictures !== null) {
    tx.stores.userPictures.add(outcome.hold.day, userId ?? NOBODY, pictures.wanted);
  }
  return outcome;
}

const asksNoEngine = ({ kind }: AdmitRequest, stages: readonly PlannedStage[]): boolean =>
  (kind === "scoring" || kind === "document") && stages.length === 0;

export const isStorageFull = ({ stores: { db, platform } }: Tx): boolean =>
  db.size() > platform.storageLimit * STORAGE_MARGIN;

const inFlightOfBatches = ({ stores: { ledger } }: Tx): number => ledger.inFlightOf(isSharing);

const moderationAdmitted = (
  { generation, settings }: Profile,
  { hold, policy, reuse }: Pick<Admitted, "hold" | "policy"> & { readonly reuse: Reuse },
): Admitted => ({
  kind: "admitted",
  hold,
  policy,
  limits: null,
  generation,
  ...(settings.content_retention_days > 0 && { keepsContent: true }),
  ...(reuse.some((terms) => terms !== null) && { reuse }),
});

/** @param made `policy` null: it is not guarded */
function generationAdmitted(
  tx: Tx,
  made: {
    readonly request: GenerationAdmit;
    readonly hold: Hold;
    readonly policy: PolicyVersion | null;
  },
): Admitted {
  const { request, hold, policy } = made;
  return {
    kind: "admitted",
    hold,
    policy:
      policy === null || request.guard === null
        ? null
        : policyReply(tx.profile, policy, request.guard.policy),
    limits: limitStatus(tx, rateUnits(hold.stages)),
    generation: tx.profile.generation,
    ...(mayKeep(tx.profile, request) && { keepsResponse: true as const }),
    ...cacheTerms(tx.profile),
  };
}

const mayKeep = ({ settings }: Profile, { keepsResponse }: GenerationAdmit): boolean =>
  keepsResponse === true && settings.response_retention_s > 0;

const documentAdmitted = (tx: Tx, hold: Hold): Admitted => ({
  kind: "admitted",
  hold,
  policy: null,
  limits: limitStatus(tx, rateUnits(hold.stages)),
  generation: tx.profile.generation,
});

const cacheTerms = ({
  id,
  generation,
  contentSecret,
  settings,
}: Profile): Pick<Admitted, "cache"> =>
  settings.cache_ttl_s === 0
    ? {}
    : {
        cache: {
          tenant: id,
          generation,
          secret: contentSecret,
          ttlS: settings.cache_ttl_s,
          maxTemperature: settings.cache_max_temperature,
        },
      };

function policyReply(
  { generation }: Profile,
  { name, version, policy }: PolicyVersion,
  request: PolicyRequest,
): Admitted["policy"] {
  const tag = `${generation}.${version}`;
  return { name, version, tag, body: request.known === tag ? null : policy };
}

// A user's pictures of the day: counted with the admission of the call, in the same transaction. Pictures
// that no engine made are given back with the settlement. A hold that expires gives nothing back, since
// it is charged: something may have been made.

export const USER_PICTURES_FEATURE: TenantFeature = {
  name: "user_pictures",
  tables: [USER_PICTURES],
  capability: ({ stores: { db, userPictures, persons } }) => ({
    purge: ({ nowMs }) => userPictures.purge(dayOf(nowMs), PURGE_ROWS),
    expiries: [expiry(db.of(USER_PICTURES), () => endOfDay(userPictures.oldestDay()))],
    personal: [
      personalData<"user_pictures">({
        name: "user_pictures",
        find: (person) => persons.userPictures(person),
        erase: (_, { day }, person) => persons.eraseUserPictures(day, person),
      }),
    ],
  }),
};

const isPictures = ({ name, task }: PlannedStage): boolean =>
  name === "generate" && task === "text_to_image";

export const pictureCount = (stages: readonly PlannedStage[]): number =>
  stages.filter(isPictures).reduce((total, { calls }) => total + calls.length, 0);

/** Stands for all calls that name no user: no person's id is empty. */
const NOBODY = "";

const countsNobody = ({ profile: { settings } }: Tx): boolean =>
  settings.anonymous_images === "limited";

/** What a call for pictures asks of its user's day; null for any other call. */
function userPicturesOf(
  tx: Tx,
  call: {
    readonly userId: string | null;
    readonly stages: readonly PlannedStage[];
  },
): UserPictures | null {
  const wanted = pictureCount(call.stages);
  if (wanted === 0 || (call.userId === null && !countsNobody(tx))) return null;
  const used = tx.stores.userPictures.count(dayOf(tx.nowMs), call.userId ?? NOBODY);
  const limit = tx.profile.settings.daily_images_per_user;
  return { limit, used, wanted, ...(call.userId === null && { ofNobody: true }) };
}

/**
 * A call without a user gives back only while such calls are limited: it was not counted before they were.
 *
 * @param items what the call's stages came to
 */
export function giveBackPictures(tx: Tx, hold: Hold, items: readonly Item[]): void {
  const held = pictureCount(hold.stages);
  if (held === 0 || (hold.userId === null && !countsNobody(tx))) return;
  const requested = items
    .filter(({ stage, task }) => stage === "generate" && task === "text_to_image")
    .reduce((total, { calls }) => total + calls, 0);
  if (requested >= held) return;
  tx.stores.userPictures.giveBack(hold.day, hold.userId ?? NOBODY, held - requested);
}
