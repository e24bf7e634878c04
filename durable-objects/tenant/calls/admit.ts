import { BATCH_ROUTE, withShare } from "../../../src/domain/ledger/batch-share.ts";
import { CATALOGUE_VERSION } from "../../../src/domain/catalogue/catalogue.ts";
import type { NeedsLease } from "../../../src/domain/account/account-budget.ts";
import type { Hold, JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { sum } from "../../../src/domain/ledger/micro-neurons.ts";
import { moderationItems, planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import type { PolicyVersion } from "../../../src/domain/moderation/policy.ts";
import {
  type CallItems,
  type PlannedStage,
  rateUnits,
} from "../../../src/domain/moderation/stage.ts";
import { type Access, authorise } from "../keys/access.ts";
import { limitStatus } from "./call-standing.ts";
import { expectFiles } from "../verdicts/contents.ts";
import { countRefusal } from "./refusals.ts";
import type { Entry } from "../ledger/ledger-row.ts";
import type { TenantStores } from "../stores.ts";
import { scoringAdmitted, unitsOf } from "./scoring.ts";
import { isTooOld } from "../usage/fold-usage.ts";
import { findPolicy, fitting, generationPlan, modelFinder, NO_SUCH_POLICY } from "./plan-call.ts";
import type { Profile } from "../profile-store.ts";
import type {
  Admitted,
  AdmitFailure,
  AdmitReply,
  AdmitRequest,
  GenerationAdmit,
  ModerationAdmit,
  PolicyRequest,
} from "../protocol.ts";
import { remember, replayOf } from "./replay.ts";
import { notReused, type Reuse, reuseAgain, reuseFor } from "../verdicts/reuse.ts";
import { userPicturesOf } from "./user-pictures.ts";

// Admission, one step: everything is checked, in the order of the contract, then everything is
// committed. Runs inside the object's transaction, after `ledger.begin`.

/** 60 s to the first byte of an engine's answer, and 30 s to settle. */
const DEADLINE_MS = 90_000;

/** A stream may last 10 minutes from its first byte. */
const STREAM_DEADLINE_MS = 690_000;

/** The share of the storage limit beyond which nothing is admitted, so that a settle still fits. */
const STORAGE_MARGIN = 0.9;

/** `needs_lease`: nothing was counted or kept; the account is to be asked, and this tried again. */
export type Admission = AdmitReply | NeedsLease;

export function admit(parts: TenantStores, profile: Profile, request: AdmitRequest): Admission {
  const entry = profile.closed ? null : parts.ledger.entry(request.callId);
  if (entry !== null) return repeated(entry, parts, profile, request);
  if (isTooOld(parts, request.callId)) return { kind: "unavailable" };
  const { nowMs } = parts.ledger.standing(profile);
  const access = authorise(parts, profile, request.caller, nowMs);
  if (access.kind === "invalid_key") return access;
  const keyId = access.kind === "granted" ? access.keyId : null;
  const reply = access.kind === "granted" ? admitAs(access, parts, profile, request) : access;
  if (reply.kind === "needs_lease") return reply;
  countRefusal(parts, profile, { request, reply, keyId, nowMs });
  return reply;
}

/**
 * The same admit again, after its first answer was lost: the same hold, also when its key or its
 * tenant's rights have ended meanwhile. If the hold itself has ended, there is no second chance to
 * run: what it came to is given again, where that is stored.
 */
function repeated(
  entry: Entry,
  parts: TenantStores,
  profile: Profile,
  request: AdmitRequest,
): AdmitReply {
  if (entry.kind === "line") return ended(entry.line, parts, profile, request);
  if (request.kind === "generation") {
    const guarded = request.guard !== null && entry.hold.stages.length > 1;
    const policy = guarded ? findPolicy(parts, request.guard.policy.name) : null;
    return generationAdmitted(parts, profile, { request, hold: entry.hold, policy });
  }
  if (request.kind === "scoring") {
    return scoringAdmitted(parts, profile, { hold: entry.hold, byScoreKey: false });
  }
  const policy = findPolicy(parts, request.policy.name);
  const { hold } = entry;
  const reuse = policy === null ? null : reuseAgain(parts, profile, request, { hold, policy });
  if (policy === null || reuse === null) return { kind: "unavailable" };
  const named = policyReply(profile, policy, request.policy);
  return moderationAdmitted(profile, { hold, policy: named, reuse });
}

function ended(
  line: JournalLine,
  parts: TenantStores,
  profile: Profile,
  request: AdmitRequest,
): AdmitReply {
  if (request.kind !== "moderation") return { kind: "unavailable" };
  const verdicts = request.verdictIds.flatMap((id) => parts.verdicts.read(id) ?? []);
  if (verdicts.length < request.verdictIds.length) return { kind: "unavailable" };
  const standing = limitStatus(parts, profile, { requests: 0 });
  return { kind: "replayed", verdicts, reply: null, line, standing };
}

function admitAs(
  { keyId, role }: Extract<Access, { kind: "granted" }>,
  parts: TenantStores,
  profile: Profile,
  request: AdmitRequest,
): Admission {
  const replay = replayOf(parts, profile, request);
  if (replay !== null) return replay;
  switch (request.kind) {
    case "generation":
      return admitGeneration(keyId, parts, profile, request);
    case "moderation":
      return admitModeration(keyId, parts, profile, request);
    case "scoring": {
      const byScoreKey = role === "score";
      const made = { request, keyId, stages: [], byScoreKey };
      const outcome = reserve(parts, profile, made);
      if (outcome.kind !== "reserved") return outcome;
      return scoringAdmitted(parts, profile, { hold: outcome.hold, byScoreKey });
    }
  }
}

function admitModeration(
  keyId: string | null,
  parts: TenantStores,
  profile: Profile,
  request: ModerationAdmit,
): Admission {
  const policy = findPolicy(parts, request.policy.name);
  if (policy === null) return NO_SUCH_POLICY;
  const find = modelFinder(profile, parts.platform);
  const plan = planModeration(policy.policy, request.contents, find);
  if (plan.kind !== "planned") return plan;
  const { nowMs } = parts.ledger;
  const reuse = reuseFor(parts, policy, request, { stages: plan.stages, nowMs });
  const stages = notReused(plan.stages, reuse);
  const outcome = reserve(parts, profile, { request, keyId, stages });
  if (outcome.kind !== "reserved") return outcome;
  const { hold } = outcome;
  expectFiles(parts, profile, request, hold);
  const named = policyReply(profile, policy, request.policy);
  return moderationAdmitted(profile, { hold, policy: named, reuse });
}

function admitGeneration(
  keyId: string | null,
  parts: TenantStores,
  profile: Profile,
  request: GenerationAdmit,
): Admission {
  const plan = generationPlan(parts, profile, request);
  if (plan.kind !== "planned") return plan;
  const outcome = reserve(parts, profile, { request, keyId, stages: plan.stages });
  switch (outcome.kind) {
    case "reserved": {
      const { policy } = plan;
      return generationAdmitted(parts, profile, { request, hold: outcome.hold, policy });
    }
    // Fewer tokens would cost less.
    case "over_limit":
    case "quota_exceeded":
    case "overage_cap_exceeded":
      return { ...outcome, ...fitting(parts, profile, request) };
    case "quota_reserved":
      // How much would fit of what others leased, nobody knows.
      if (outcome.againAtMs !== undefined) return outcome;
      return { ...outcome, ...fitting(parts, profile, request) };
    default:
      return outcome;
  }
}

/** Everything checked, then the hold and the idempotency key committed. */
function reserve(
  parts: TenantStores,
  profile: Profile,
  admission: {
    readonly request: AdmitRequest;
    readonly keyId: string | null;
    readonly stages: readonly PlannedStage[];
    /** Of what a key of role `score` may ask. */
    readonly byScoreKey?: boolean;
  },
): ReturnType<TenantStores["ledger"]["reserve"]> | Extract<AdmitFailure, { kind: "storage_full" }> {
  const { request, keyId, stages, byScoreKey = false } = admission;
  if (isStorageFull(parts)) return { kind: "storage_full" };
  const nowMs = parts.ledger.standing(profile).nowMs;
  const { userId } = request;
  const pictures = userPicturesOf(parts, profile, { userId, stages, nowMs });
  const isOfBatch = request.route === BATCH_ROUTE;
  const units = unitsOf(rateUnits(stages, itemsOf(request)), byScoreKey);
  const demand = {
    bound: sum(stages.map((stage) => stage.bound)),
    units: isOfBatch ? withShare(units) : units,
    ...(isOfBatch && { inFlightOfBatches: inFlightOfBatches(parts) }),
    ...(pictures !== null && { userPictures: pictures }),
    ...(request.kind === "scoring" && { asksNoEngine: true as const }),
  };
  const streamed = request.kind === "generation" && request.streamed;
  const call = {
    callId: request.callId,
    requestId: request.requestId,
    route: request.route,
    keyId,
    userId,
    deadlineMs: nowMs + (streamed ? STREAM_DEADLINE_MS : DEADLINE_MS),
    priceBook: CATALOGUE_VERSION,
    stages,
  };
  const outcome = parts.ledger.reserve(profile, call, demand);
  if (outcome.kind !== "reserved") return outcome;
  remember(parts, request, nowMs);
  if (pictures !== null && userId !== null) {
    parts.userPictures.add(outcome.hold.day, userId, pictures.wanted);
  }
  return outcome;
}

/** A guard's verdicts are in the line and the reply: they are not stored. */
function itemsOf(request: AdmitRequest): CallItems {
  switch (request.kind) {
    case "moderation":
      return moderationItems(request.contents);
    case "generation":
      return { stored: request.stores ?? 0, tests: 0 };
    case "scoring":
      return { stored: 0, tests: 0 };
  }
}

export const isStorageFull = ({ db, platform }: TenantStores): boolean =>
  db.size() > platform.storageLimit * STORAGE_MARGIN;

const inFlightOfBatches = ({ ledger }: TenantStores): number => ledger.inFlightOf(BATCH_ROUTE);

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
  parts: TenantStores,
  profile: Profile,
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
        : policyReply(profile, policy, request.guard.policy),
    limits: limitStatus(parts, profile, rateUnits(hold.stages)),
    generation: profile.generation,
    ...cacheTerms(profile),
  };
}

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
  asked: PolicyRequest,
): Admitted["policy"] {
  const tag = `${generation}.${version}`;
  return { name, version, tag, body: asked.known === tag ? null : policy };
}
