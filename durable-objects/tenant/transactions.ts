import type { AccessFailure, LookupFailure } from "../../src/domain/ledger/failure.ts";
import { authorise } from "./keys/access.ts";
import type { TenantStores } from "./stores.ts";
import type { Profile } from "./profile-store.ts";
import type { Caller } from "./protocol.ts";

export type AccessRefusal =
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

/** Refusals are written at most this often, whatever their number. */
const REFUSALS_EVERY_MS = 1000;

/**
 * Every change of a tenant is a step: one transaction, the clock read once, expired holds ended
 * first, the shared rows written once at the end. A step that throws leaves no trace, neither in
 * storage nor in memory.
 */
export class Transactions {
  readonly #parts: TenantStores;
  readonly #wallMs: () => number;
  #profile: Profile | null = null;
  #refusalsWrittenMs = 0;

  constructor(parts: TenantStores, wallMs: () => number) {
    this.#parts = parts;
    this.#wallMs = wallMs;
  }

  run<Result>(profile: Profile, work: (nowMs: number) => Result): Result {
    const { db, ledger, refusals } = this.#parts;
    const restoreRefusals = refusals.checkpoint();
    try {
      return db.transaction(() => {
        const nowMs = ledger.begin(this.#wallMs(), profile);
        const result = work(nowMs);
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

  /** A step on behalf of somebody: the key and its role are checked within it. */
  ask<Result>(
    profile: Profile | null,
    caller: Caller,
    work: (profile: Profile, nowMs: number, keyId: string | null) => Result,
  ): Result | AccessRefusal {
    if (profile === null || profile.closed) return unknownTenant(caller);
    return this.run(profile, (nowMs) => {
      const access = authorise(this.#parts, profile, caller, nowMs);
      return access.kind === "granted" ? work(profile, nowMs, access.keyId) : access;
    });
  }

  /** Null: never configured, or erased. */
  profile(): Profile | null {
    this.#profile ??= this.#parts.profiles.read();
    return this.#profile;
  }

  writeProfile(profile: Profile): void {
    this.#parts.profiles.write(profile);
    this.#profile = profile;
  }

  /** Drops all that is kept in memory: storage is read again. */
  forget(): void {
    this.#profile = null;
    this.#parts.ledger.reset();
    this.#parts.policies.forget();
    this.#parts.outbox.forget();
    this.#parts.batches.forget();
    this.#parts.erasures.forget();
    this.#parts.feed.forget();
  }

  #writeRefusals(nowMs: number): void {
    if (nowMs - this.#refusalsWrittenMs < REFUSALS_EVERY_MS) return;
    if (!this.#parts.refusals.waiting) return;
    this.#parts.refusals.flush();
    this.#refusalsWrittenMs = nowMs;
  }
}

/** On the wire a key of an unknown tenant is like any bad key. */
export const unknownTenant = (caller: Caller): AccessRefusal =>
  caller.kind === "platform" ? { kind: "not_found", what: "tenant" } : { kind: "invalid_key" };
