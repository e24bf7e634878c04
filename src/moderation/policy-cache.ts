import type { Admitted } from "../../durable-objects/tenant/protocol.ts";
import type { Policy, PolicyVersion } from "../domain/moderation/policy.ts";

// Policies that this isolate has seen. An admission names the tag of a known policy instead of loading it
// again; the object answers each admission with the version in force.

export interface KnownPolicy {
  readonly tag: string;
  readonly policy: Policy;
}

/** An isolate has 128 MB and serves many tenants; most policies take a few kilobytes. */
const MAX_POLICIES = 500;
/** Units of JSON. With its prepared terms a policy takes about six bytes for each. */
const MAX_UNITS = 4_000_000;

const known = new Map<string, KnownPolicy & { readonly units: number }>();

let units = 0;

function forget(key: string): void {
  units -= known.get(key)?.units ?? 0;
  known.delete(key);
}

const keyOf = (tenant: string, name: string): string => `${tenant}/${name}`;

/** The policy that a call may name as known. The call keeps it, since the cache may drop it meanwhile. */
export const knownPolicy = (tenant: string, name: string): KnownPolicy | null =>
  known.get(keyOf(tenant, name)) ?? null;

/**
 * The policy of an admission.
 *
 * @param named the policy that the request named as known
 * @returns null when the object sent no policy and named another one: a bug
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
  const before = known.get(key);
  const size = before?.policy === policy ? before.units : JSON.stringify(policy).length;
  forget(key);
  known.set(key, { tag, policy, units: size });
  units += size;
  for (const oldest of known.keys()) {
    if (known.size <= MAX_POLICIES && units <= MAX_UNITS) break;
    forget(oldest);
  }
  return { name, version, policy };
}
