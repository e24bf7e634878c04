import { neuronStanding, rateStandings } from "../../src/domain/admission.ts";
import { CATALOGUE_VERSION, resolveModel } from "../../src/domain/catalogue.ts";
import type { Failure } from "../../src/domain/failure.ts";
import { charged, type Hold, type JournalLine } from "../../src/domain/ledger.ts";
import { sum, ZERO } from "../../src/domain/micro-neurons.ts";
import { type FindModel, planModeration, rateUnits } from "../../src/domain/plan.ts";
import { DEFAULT_POLICY_NAME, type PolicyVersion } from "../../src/domain/policy.ts";
import type { RateUnits } from "../../src/domain/rate-limit.ts";
import { authorise } from "./access.ts";
import type { Remembered } from "./idempotency-store.ts";
import type { Entry } from "./ledger-row.ts";
import type { Parts } from "./parts.ts";
import type { Platform } from "./platform.ts";
import type { Profile } from "./profile-store.ts";
import type { Admitted, AdmitFailure, AdmitReply, AdmitRequest, CallStanding } from "./protocol.ts";

// Admission, one step: everything is checked, in the order of the contract, then everything is
// committed. Runs inside the object's transaction, after `ledger.begin`.

/** 60 s to the first byte of an engine's answer, and 30 s to settle. */
const DEADLINE_MS = 90_000;

/** The share of the storage limit beyond which nothing is admitted, so that a settle still fits. */
const STORAGE_MARGIN = 0.9;

export function admit(parts: Parts, profile: Profile, request: AdmitRequest): AdmitReply {
  const entry = profile.closed ? null : parts.ledger.entry(request.callId);
  if (entry !== null) return repeated(entry, parts, profile, request);
  const { nowMs } = parts.ledger.standing(profile);
  const access = authorise(parts, profile, request.caller, nowMs);
  if (access.kind === "invalid_key") return access;
  const keyId = access.kind === "granted" ? access.keyId : null;
  const reply = access.kind === "granted" ? admitAs(keyId, parts, profile, request) : access;
  countRefusal(parts, profile, { request, reply, keyId, nowMs });
  return reply;
}

/**
 * The same admit again, after its first answer was lost: the same hold, also when its key or its
 * tenant's rights have ended meanwhile. If the hold itself has ended, there is no second chance to
 * run.
 */
function repeated(entry: Entry, parts: Parts, profile: Profile, request: AdmitRequest): AdmitReply {
  const policy = findPolicy(parts, request.policy.name);
  if (entry.kind === "line" || policy === null) return { kind: "unavailable" };
  return admitted(entry.hold, policyReply(profile, policy, request));
}

function admitAs(
  keyId: string | null,
  parts: Parts,
  profile: Profile,
  request: AdmitRequest,
): AdmitReply {
  const replay = replayOf(parts, profile, request);
  if (replay !== null) return replay;
  const policy = findPolicy(parts, request.policy.name);
  if (policy === null) {
    const errors = [{ path: ["policy"], detail: "must name a policy of this tenant" }];
    return { kind: "invalid_request", errors };
  }
  if (parts.db.size() > parts.platform.storageLimit * STORAGE_MARGIN)
    return { kind: "storage_full" };

  const plan = planModeration(
    policy.policy,
    request.contents,
    modelFinder(profile, parts.platform),
  );
  if (plan.kind !== "planned") return plan;
  const { stages } = plan;
  const demand = { bound: sum(stages.map((stage) => stage.bound)), units: rateUnits(stages) };
  const nowMs = parts.ledger.standing(profile).nowMs;
  const call = {
    callId: request.callId,
    requestId: request.requestId,
    route: request.route,
    keyId,
    userId: request.userId,
    deadlineMs: nowMs + DEADLINE_MS,
    priceBook: CATALOGUE_VERSION,
    stages,
  };
  const outcome = parts.ledger.reserve(profile, call, demand);
  if (outcome.kind !== "reserved") return outcome;
  remember(parts, request, nowMs);
  return admitted(outcome.hold, policyReply(profile, policy, request));
}

const admitted = (hold: Hold, policy: Admitted["policy"]): Admitted => ({
  kind: "admitted",
  hold,
  policy,
});

function policyReply(
  { generation }: Profile,
  { name, version, policy }: PolicyVersion,
  request: AdmitRequest,
): Admitted["policy"] {
  const tag = `${generation}.${version}`;
  return { name, version, tag, body: request.policy.known === tag ? null : policy };
}

export const findPolicy = (parts: Parts, name: string | null): PolicyVersion | null =>
  parts.policies.latest(name ?? DEFAULT_POLICY_NAME);

/** The models that may run: those of the catalogue with a price that the tenant allows. */
export const modelFinder =
  ({ settings }: Profile, { workersPlan, prices }: Platform): FindModel =>
  (id) =>
    settings.models !== null && !settings.models.includes(id)
      ? { kind: "model_not_allowed", model: id }
      : resolveModel(id, { workersPlan, prices });

/** What an earlier request with the same idempotency key came to, if there was one. */
function replayOf(parts: Parts, profile: Profile, request: AdmitRequest): AdmitReply | null {
  const { idempotency, route } = request;
  if (idempotency === null) return null;
  const { nowMs } = parts.ledger.standing(profile);
  const found = parts.idempotency.find(route, idempotency.key, nowMs);
  if (found === null) return null;
  if (found.fingerprint !== idempotency.fingerprint) return { kind: "idempotency_key_reused" };
  const entry = parts.ledger.entry(found.subject);
  if (entry === null) return null;
  if (entry.kind === "hold") return { kind: "idempotency_in_progress" };
  if (entry.line.outcome === "voided" && !hasVerdict(parts, found)) {
    parts.idempotency.forget(route, idempotency.key, nowMs);
    return null;
  }
  return replayed(parts, profile, found, entry.line);
}

const hasVerdict = (parts: Parts, { verdictIds }: Remembered): boolean =>
  verdictIds.some((id) => parts.verdicts.read(id) !== null);

function replayed(
  parts: Parts,
  profile: Profile,
  { verdictIds }: Remembered,
  line: JournalLine,
): AdmitReply {
  const verdicts = verdictIds.map((id) => parts.verdicts.read(id)).filter((v) => v !== null);
  if (verdicts.length < verdictIds.length) {
    // Its settle never came, or its verdicts are past their retention: it is not run again.
    const journalLineId = line.callId;
    return { kind: "idempotency_replay_unavailable", journalLineId, charged: charged(line) };
  }
  const standing = callStanding(parts, profile, { requests: 0 });
  return { kind: "replayed", verdicts, line, standing };
}

function remember(parts: Parts, request: AdmitRequest, nowMs: number): void {
  if (request.idempotency === null) return;
  const { key, fingerprint } = request.idempotency;
  const { callId: subject, verdictIds, route } = request;
  parts.idempotency.remember({ route, key, nowMs }, { fingerprint, subject, verdictIds });
}

export function callStanding(parts: Parts, profile: Profile, units: RateUnits): CallStanding {
  const now = parts.ledger.standing(profile);
  return {
    neurons: neuronStanding(now, ZERO),
    rates: rateStandings(now, units),
    nowMs: now.nowMs,
  };
}

/** Refusals with a valid key are counted; what never named a tenant's key is not its refusal. */
function countRefusal(
  parts: Parts,
  profile: Profile,
  at: { request: AdmitRequest; reply: AdmitReply; keyId: string | null; nowMs: number },
): void {
  const { reply, request, keyId, nowMs } = at;
  if (!isCounted(reply)) return;
  const refused = {
    kind: reply.kind,
    policies: violatedPolicies(reply),
    neurons: "neurons" in reply ? reply.neurons : null,
    keyId,
    requestId: request.requestId,
    settingsVersion: profile.version,
  };
  parts.refusals.add(refused, nowMs);
}

const COUNTED = [
  "tenant_suspended",
  "role_required",
  "model_not_allowed",
  "over_limit",
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
  "storage_full",
] as const satisfies readonly Failure["kind"][];

const isCounted = (
  reply: AdmitReply,
): reply is Extract<AdmitFailure, { kind: (typeof COUNTED)[number] }> =>
  (COUNTED as readonly string[]).includes(reply.kind);

function violatedPolicies(failure: AdmitFailure): readonly string[] {
  if (failure.kind === "rate_limited") return failure.violated;
  return "neurons" in failure && failure.kind !== "concurrency_exceeded" ? ["daily"] : [];
}
