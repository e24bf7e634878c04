import type { AccessFailure } from "../../../src/domain/ledger/failure.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
import type { Tx } from "../transactions.ts";
import type { Caller } from "../protocol.ts";

export type Access =
  /** `role`: of the key; null: it is the platform. */
  | { readonly kind: "granted"; readonly keyId: string | null; readonly role: Role | null }
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>;

/**
 * Whether this caller may ask. In this order: the key, the tenant, the role. A key's first use on
 * a day is written, once.
 */
export function authorise(tx: Tx, caller: Caller): Access {
  if (tx.profile.closed) return { kind: "invalid_key" };
  if (caller.kind === "platform") return { kind: "granted", keyId: null, role: null };
  const key = tx.stores.keys.find(caller.secretHash, tx.nowMs);
  if (key === null) return { kind: "invalid_key" };
  if (caller.scoreOnly === true && key.role !== "score") {
    return { kind: "invalid_key", why: "score_only" };
  }
  if (tx.profile.settings.suspended) return { kind: "tenant_suspended" };
  if (key.role !== "manage" && !caller.roles.includes(key.role)) {
    return { kind: "role_required", roles: [...new Set([...caller.roles, "manage" as const])] };
  }
  if (key.lastUsedDay !== dayOf(tx.nowMs)) tx.stores.keys.markUsed(key.id, dayOf(tx.nowMs));
  return { kind: "granted", keyId: key.id, role: key.role };
}
