import type { RequestFailure } from "../../src/domain/failure.ts";
import { planModeration } from "../../src/domain/plan-moderation.ts";
import type { Policy, PolicyVersion } from "../../src/domain/policy.ts";
import type { Parts } from "./parts.ts";
import { modelFinder } from "./plan-call.ts";
import type { Profile } from "./profile-store.ts";

/** Policies by name that a tenant may have. */
const MAX_POLICIES = 100;

/** One text and one picture: whatever a policy asks for, it asks for it here. */
const PROBE = [{ text: { sentiment: [1], judge: [1] }, pictures: 1 }];

export type PutPolicy =
  | { readonly kind: "policy"; readonly policy: PolicyVersion }
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>;

/** A new version of a policy. Models that could not run are refused now, not with the next call. */
export function putPolicy(
  parts: Parts,
  profile: Profile,
  { name, policy, nowMs }: { name: string; policy: Policy; nowMs: number },
): PutPolicy {
  const latest = parts.policies.read(name, null);
  if (latest === null && parts.policies.countNames() >= MAX_POLICIES) {
    return { kind: "over_limit", detail: `A tenant has at most ${MAX_POLICIES} policies.` };
  }
  const plan = planModeration(policy, PROBE, modelFinder(profile, parts.platform));
  if (plan.kind !== "planned") {
    const role = Object.entries(policy.models).find(
      ([, model]) => plan.kind !== "unbounded_usage" && model === plan.model,
    );
    const path = role === undefined ? ["models"] : ["models", role[0]];
    const detail = `must be models that can run here (${plan.kind.replaceAll("_", " ")})`;
    return { kind: "invalid_request", errors: [{ path, detail }] };
  }
  const next: PolicyVersion = { name, version: (latest?.version ?? 0) + 1, policy };
  parts.policies.insert(next, nowMs);
  return { kind: "policy", policy: next };
}
