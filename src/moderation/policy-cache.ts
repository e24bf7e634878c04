import type { Admitted } from "../../durable-objects/tenant/protocol.ts";
import type { Policy, PolicyVersion } from "../domain/policy.ts";

// Policies that this isolate has seen, so that an admission sends only the tag of a policy that is
// known already. The object says with every admission which version is in force.

export interface KnownPolicy {
  readonly tag: string;
  readonly policy: Policy;
}

/** A policy is a few kilobytes; an isolate serves many tenants. */
const MAX_POLICIES = 500;

const known = new Map<string, KnownPolicy>();

const keyOf = (tenant: string, name: string): string => `${tenant}/${name}`;

/** What a call may name as known. It keeps it: by the reply the cache may have let go of it. */
export const knownPolicy = (tenant: string, name: string): KnownPolicy | null =>
  known.get(keyOf(tenant, name)) ?? null;

/**
 * The policy that an admission named.
 *
 * @param named what the request named as known
 * @returns null when the object sent none and named another than that: a bug
 */
export function admittedPolicy(
  tenant: string,
  { policy: inForce }: Admitted,
  named: KnownPolicy | null,
): PolicyVersion | null {
  if (inForce === null) return null;
  const { name, version, tag, body } = inForce;
  const policy = body ?? (named?.tag === tag ? named.policy : null);
  if (policy === null) return null;
  const key = keyOf(tenant, name);
  known.delete(key);
  known.set(key, { tag, policy });
  for (const oldest of known.keys()) {
    if (known.size <= MAX_POLICIES) break;
    known.delete(oldest);
  }
  return { name, version, policy };
}
