import type { RequestFailure } from "../../../src/domain/ledger/failure.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import {
  DEFAULT_POLICY_NAME,
  type Policy,
  type PolicyVersion,
} from "../../../src/domain/moderation/policy.ts";
import { changedPolicy, type PolicyChange } from "../../../src/domain/moderation/policy-change.ts";
import type { Tx } from "../transactions.ts";
import { modelFinder } from "../calls/plan-call.ts";
import { FOLLOWED_MS } from "./policy-store.ts";
import { expiry, type TenantContext, type TenantFeature } from "../feature.ts";
import type { Caller } from "../protocol.ts";
import { CORE } from "../tenant-schema.ts";
import { notFound, pageOf } from "../page.ts";
import { replayPage, type ReplayRequest } from "./policy-replay.ts";

export const POLICIES_FEATURE: TenantFeature = {
  name: "policies",
  capability: ({ stores: { db, policies, verdicts } }) => ({
    forget: () => policies.forget(),
    // A version goes after the last verdict that names it.
    purge: ({ nowMs }, isMore) => {
      if (!isMore) policies.purge(nowMs - FOLLOWED_MS);
      return false;
    },
    expiries: [expiry(db.of(CORE), () => policies.purgeDueMs(verdicts.oldestMs()))],
  }),
};

/** Policies by name that a tenant may have. */
const MAX_POLICIES = 100;

/** One text and one picture: whatever a policy asks for, it asks for it here. */
const PROBE = [{ text: { sentiment: [1], judge: [1] }, pictures: 1 }];

export type ChangedPolicy =
  | { readonly kind: "policy"; readonly policy: PolicyVersion }
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>;

type NotFound = { readonly kind: "not_found"; readonly what: string };

/** What names a policy, and what it is to become. */
export interface Put {
  readonly name: string;
  readonly policy: Policy;
  /** The version that the caller has read; null: it does not say. */
  readonly expected: number | null;
}

export interface Patch extends Omit<Put, "policy"> {
  readonly change: PolicyChange;
}

/** A new version of a policy. Models that could not run are refused now, not with the next call. */
export function putPolicy(tx: Tx, { name, policy, expected }: Put): ChangedPolicy {
  const latest = tx.stores.policies.latest(name);
  if (expected !== null && expected !== latest?.version) return changedMeanwhile(latest);
  if (latest === null && tx.stores.policies.countNames() >= MAX_POLICIES) {
    const detail = `A tenant has at most ${MAX_POLICIES} policies, with those ended in the last month.`;
    return { kind: "over_limit", detail };
  }
  const plan = planModeration(policy, PROBE, modelFinder(tx));
  if (plan.kind !== "planned") {
    const role = Object.entries(policy.models).find(
      ([, model]) => plan.kind !== "unbounded_usage" && model === plan.model,
    );
    const path = role === undefined ? ["models"] : ["models", role[0]];
    const detail = `must be models that can run here (${plan.kind.replaceAll("_", " ")})`;
    return { kind: "invalid_request", errors: [{ path, detail }] };
  }
  const next: PolicyVersion = { name, version: tx.stores.policies.nextVersion(name), policy };
  tx.stores.policies.insert(next, tx.nowMs);
  return { kind: "policy", policy: next };
}

/** The version in force with a change laid over it; none is made where that comes to the same. */
export function patchPolicy(tx: Tx, { name, change, expected }: Patch): ChangedPolicy | NotFound {
  const latest = tx.stores.policies.latest(name);
  if (latest === null) return { kind: "not_found", what: "policy" };
  if (expected !== null && expected !== latest.version) return changedMeanwhile(latest);
  const policy = changedPolicy(latest.policy, change);
  if (JSON.stringify(policy) === JSON.stringify(changedPolicy(latest.policy, {}))) {
    return { kind: "policy", policy: latest };
  }
  return putPolicy(tx, { name, policy, expected });
}

/** Verdicts keep naming its versions, and a policy of that name later goes on counting from them. */
export function deletePolicy(
  tx: Tx,
  name: string,
): { readonly kind: "deleted" } | NotFound | Extract<RequestFailure, { kind: "invalid_request" }> {
  if (name === DEFAULT_POLICY_NAME) {
    const detail = "must not be default: calls that name no policy follow it";
    return { kind: "invalid_request", errors: [{ path: ["name"], detail }] };
  }
  if (tx.stores.policies.latest(name) === null) return { kind: "not_found", what: "policy" };
  tx.stores.policies.end(name, tx.nowMs);
  return { kind: "deleted" };
}

function changedMeanwhile(latest: PolicyVersion | null): ChangedPolicy {
  const detail =
    latest === null
      ? "must be absent: there is no such policy yet"
      : `must be the version in force, ${latest.version}, or absent`;
  return { kind: "invalid_request", errors: [{ path: ["version"], detail }] };
}

export const POLICY_OPERATIONS = {
  listPolicies: ({ ask }: TenantContext, caller: Caller, from: string, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.policies.list(from, limit), limit)),

  readPolicy: ({ ask }: TenantContext, caller: Caller, name: string, version: number | null) =>
    ask(caller, ({ stores }) => {
      const policy = stores.policies.read(name, version);
      return policy === null ? notFound("policy") : { kind: "policy" as const, policy };
    }),

  putPolicy: ({ ask }: TenantContext, caller: Caller, put: Put) =>
    ask(caller, (tx) => putPolicy(tx, put)),

  patchPolicy: ({ ask }: TenantContext, caller: Caller, patch: Patch) =>
    ask(caller, (tx) => patchPolicy(tx, patch)),

  deletePolicy: ({ ask }: TenantContext, caller: Caller, name: string) =>
    ask(caller, (tx) => deletePolicy(tx, name)),

  /** One page of a replay: no engine runs, and nothing is admitted or paid. */
  replayPolicy: ({ ask }: TenantContext, caller: Caller, request: ReplayRequest) =>
    ask(caller, (tx) => replayPage(tx, request)),
};
