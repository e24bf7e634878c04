import type { AccessFailure } from "../../../src/domain/ledger/failure.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
import type { TenantStores } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import type { Caller } from "../protocol.ts";

export type Access =
  /** `role`: of the key; null: it is the platform. */
  | { readonly kind: "granted"; readonly keyId: string | null; readonly role: Role | null }
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>;

/**
 * Whether this caller may ask. In this order: the key, the tenant, the role. A key's first use on
 * a day is written, once.
 */
export function authorise(
  parts: TenantStores,
  profile: Profile,
  caller: Caller,
  nowMs: number,
): Access {
  if (profile.closed) return { kind: "invalid_key" };
  if (caller.kind === "platform") return { kind: "granted", keyId: null, role: null };
  const key = parts.keys.find(caller.secretHash, nowMs);
  if (key === null) return { kind: "invalid_key" };
  if (caller.scoreOnly === true && key.role !== "score") {
    return { kind: "invalid_key", why: "score_only" };
  }
  if (profile.settings.suspended) return { kind: "tenant_suspended" };
  if (key.role !== "manage" && !caller.roles.includes(key.role)) {
    return { kind: "role_required", roles: [...new Set([...caller.roles, "manage" as const])] };
  }
  if (key.lastUsedDay !== dayOf(nowMs)) parts.keys.markUsed(key.id, dayOf(nowMs));
  return { kind: "granted", keyId: key.id, role: key.role };
}
