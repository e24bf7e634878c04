import type { Key } from "../../../src/domain/tenant/key.ts";
import type { LookupFailure, RequestFailure } from "../../../src/domain/ledger/failure.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
import type { Tx } from "../transactions.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import { type KeyUsed, once } from "../calls/once.ts";
import type { TenantContext } from "../feature.ts";
import { notFound, pageOf } from "../page.ts";

// Issuing and rotating keys. The secret is drawn by the router, which alone knows the server
// secret that its checksum needs; only its hash comes here.

/** Keys that a tenant may have at once. */
const MAX_KEYS = 1000;

export interface NewKey {
  readonly id: string;
  readonly secretHash: string;
  readonly prefix: string;
}

export interface IssueKey {
  readonly route: string;
  readonly newKey: NewKey;
  readonly name: string | null;
  readonly role: Role;
  readonly expiresAtMs: number | null;
  readonly idempotency: Idempotency | null;
}

export interface RotateKey {
  readonly route: string;
  readonly id: string;
  readonly newKey: NewKey;
  /** How long the old key goes on beside the new one; 0 ends it now. */
  readonly overlapMs: number;
  readonly idempotency: Idempotency | null;
}

/** `repeated`: an earlier request with this idempotency key made it, so its text is gone. */
export type IssuedKey = {
  readonly kind: "issued";
  readonly key: Key;
  readonly replaces: string | null;
  readonly repeated: boolean;
};

type KeyFailure =
  | KeyUsed
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

export function issueKey(tx: Tx, request: IssueKey): IssuedKey | KeyFailure {
  const { name, role, expiresAtMs } = request;
  return keyOnce(tx, request, null, () => {
    if (expiresAtMs !== null && expiresAtMs <= tx.nowMs) {
      const errors = [{ path: ["expires_at"], detail: "must lie in the future" }];
      return { kind: "invalid_request", errors };
    }
    return add(tx, request.newKey, { name, role, expiresAtMs, replaces: null });
  });
}

export function rotateKey(tx: Tx, request: RotateKey): IssuedKey | KeyFailure {
  const { keys } = tx.stores;
  return keyOnce(tx, request, request.id, () => {
    const old = keys.read(request.id, tx.nowMs);
    if (old === null) return NO_KEY;
    const { name, role, expiresAtMs } = old;
    const issued = add(tx, request.newKey, { name, role, expiresAtMs, replaces: old.id });
    if (issued.kind !== "issued") return issued;
    const endsAtMs = tx.nowMs + request.overlapMs;
    if (request.overlapMs === 0) keys.end(old.id);
    else if (expiresAtMs === null || endsAtMs < expiresAtMs) keys.expireAt(old.id, endsAtMs);
    return issued;
  });
}

/** @param replaces the key that the new one is for; of an earlier request that is not known any more */
const keyOnce = (
  tx: Tx,
  { newKey, route, idempotency }: IssueKey | RotateKey,
  replaces: string | null,
  make: () => IssuedKey | KeyFailure,
): IssuedKey | KeyFailure =>
  once(
    tx,
    { id: newKey.id, route, idempotency },
    (id, repeated): IssuedKey | KeyFailure | null => {
      const key = tx.stores.keys.read(id, tx.nowMs);
      if (key === null) return null;
      return { kind: "issued", key, replaces: repeated ? null : replaces, repeated };
    },
    make,
  );

function add(
  { stores: { keys }, nowMs }: Tx,
  { id, prefix, secretHash }: NewKey,
  {
    replaces,
    ...fields
  }: Pick<Key, "name" | "role" | "expiresAtMs"> & { readonly replaces: string | null },
): IssuedKey | KeyFailure {
  if (keys.count(nowMs) >= MAX_KEYS) {
    const detail = `A tenant has at most ${MAX_KEYS} keys: end one that is not used any more.`;
    return { kind: "over_limit", detail };
  }
  const key: Key = { ...fields, id, prefix, createdAtMs: nowMs, lastUsedDay: null };
  keys.insert(key, secretHash, replaces === null ? null : keys.lineageOf(replaces));
  return { kind: "issued", key, replaces, repeated: false };
}

const NO_KEY = notFound("key");

export const KEY_OPERATIONS = {
  issueKey: ({ write }: TenantContext, caller: Caller, request: IssueKey) =>
    write(caller, (tx) => issueKey(tx, request)),

  rotateKey: ({ write }: TenantContext, caller: Caller, request: RotateKey) =>
    write(caller, (tx) => rotateKey(tx, request)),

  listKeys: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, ({ stores: { keys } }) => pageOf(keys.list(before, limit), limit)),

  endKey: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, ({ stores: { keys } }) =>
      keys.end(id) ? { kind: "ended" as const } : notFound("key"),
    ),
};
