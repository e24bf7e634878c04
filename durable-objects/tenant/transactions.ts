import type { AccessFailure, LookupFailure } from "../../src/domain/ledger/failure.ts";
import { dayOf } from "../../src/domain/ledger/period.ts";
import type { Role } from "../../src/domain/tenant/role.ts";
import type { Capability } from "./feature.ts";
import type { Profile } from "./profile-store.ts";
import type { Caller } from "./protocol.ts";
import type { TenantStores } from "./stores.ts";

export type AccessRefusal =
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

/** Refusals are written at most this often, whatever their number. */
const REFUSALS_EVERY_MS = 1000;

/**
 * One transaction: the object's time in it, the tenant as it was when it began, and the stores. What
 * happens within it takes this first, then its request; it reads no clock.
 */
export interface Tx {
  /** Milliseconds of the object's clock, which never goes back. */
  readonly nowMs: number;
  readonly profile: Profile;
  /** The key that the work is done for; null: the platform, or the object itself. */
  readonly keyId: string | null;
  readonly stores: TenantStores;
}

/** A transaction of the object as it is by then; null: it is no more. */
export type Transact = <Result>(work: (tx: Tx) => Result) => Result | null;

/**
 * Begins every transaction of a tenant: the clock is read once, expired holds are ended first, the
 * shared rows are written once at the end. A transaction that throws leaves no trace, neither in
 * storage nor in memory.
 */
export class Transactions {
  readonly #stores: TenantStores;
  readonly #wallMs: () => number;
  readonly #features: () => readonly Pick<Capability, "forget">[];
  #profile: Profile | null = null;
  #refusalsWrittenMs = 0;

  /** @param features whose memory a transaction that is rolled back drops */
  constructor(
    stores: TenantStores,
    wallMs: () => number,
    features: () => readonly Pick<Capability, "forget">[],
  ) {
    this.#stores = stores;
    this.#wallMs = wallMs;
    this.#features = features;
  }

  run<Result>(profile: Profile, work: (tx: Tx) => Result): Result {
    const stores = this.#stores;
    const { db, ledger, refusals } = stores;
    const restoreRefusals = refusals.checkpoint();
    try {
      return db.transaction(() => {
        const nowMs = ledger.begin(this.#wallMs(), profile);
        const result = work({ nowMs, profile, keyId: null, stores });
        this.#writeRefusals(nowMs);
        ledger.flush();
        return result;
      });
    } catch (error) {
      this.forget();
      restoreRefusals();
      throw error;
    }
  }

  /** A transaction for a caller, whose key and role are checked within it. */
  ask<Result>(
    profile: Profile | null,
    caller: Caller,
    work: (tx: Tx) => Result,
  ): Result | AccessRefusal {
    if (profile === null || profile.closed) return unknownTenant(caller);
    return this.run(profile, (tx) => {
      const access = authorise(tx, caller);
      return access.kind === "granted" ? work({ ...tx, keyId: access.keyId }) : access;
    });
  }

  /** Null: never configured, or erased. */
  profile(): Profile | null {
    this.#profile ??= this.#stores.profiles.read();
    return this.#profile;
  }

  writeProfile(profile: Profile): void {
    this.#stores.profiles.write(profile);
    this.#profile = profile;
  }

  /** Drops all that is kept in memory: storage is read again. */
  forget(): void {
    this.#profile = null;
    for (const { forget } of this.#features()) forget?.();
  }

  #writeRefusals(nowMs: number): void {
    if (nowMs - this.#refusalsWrittenMs < REFUSALS_EVERY_MS) return;
    if (!this.#stores.refusals.waiting) return;
    this.#stores.refusals.flush();
    this.#refusalsWrittenMs = nowMs;
  }
}

/** On the wire a key of an unknown tenant is like any bad key. */
export const unknownTenant = (caller: Caller): AccessRefusal =>
  caller.kind === "platform" ? { kind: "not_found", what: "tenant" } : { kind: "invalid_key" };

// The check of a caller, within the transaction that it asks for.

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
