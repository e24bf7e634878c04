import type {
  ConflictFailure,
  LookupFailure,
  RequestFailure,
} from "../../../src/domain/ledger/failure.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
import type { Key } from "./key-store.ts";
import type { Tx } from "../transactions.ts";
import type { Caller, Idempotency } from "../protocol.ts";
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
  | Extract<ConflictFailure, { kind: "idempotency_key_reused" }>
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

export function issueKey(tx: Tx, request: IssueKey): IssuedKey | KeyFailure {
  const earlier = sameKey(tx, request.newKey, null) ?? earlierKey(tx, request);
  if (earlier !== null) return earlier;
  if (request.expiresAtMs !== null && request.expiresAtMs <= tx.nowMs) {
    const errors = [{ path: ["expires_at"], detail: "must lie in the future" }];
    return { kind: "invalid_request", errors };
  }
  return add(tx, request, {
    replaces: null,
    key: { name: request.name, role: request.role, expiresAtMs: request.expiresAtMs },
  });
}

export function rotateKey(tx: Tx, request: RotateKey): IssuedKey | KeyFailure {
  const { id: replaces, newKey } = request;
  const earlier = sameKey(tx, newKey, replaces) ?? earlierKey(tx, request);
  if (earlier !== null) return earlier;
  const old = tx.stores.keys.read(request.id, tx.nowMs);
  if (old === null) return { kind: "not_found", what: "key" };
  const { name, role, expiresAtMs } = old;
  const issued = add(tx, request, { replaces: old.id, key: { name, role, expiresAtMs } });
  if (issued.kind !== "issued") return issued;
  const endsAtMs = tx.nowMs + request.overlapMs;
  const { keys } = tx.stores;
  if (request.overlapMs === 0) keys.end(old.id);
  else if (expiresAtMs === null || endsAtMs < expiresAtMs) keys.expireAt(old.id, endsAtMs);
  return issued;
}

function add(
  tx: Tx,
  { newKey, route, idempotency }: IssueKey | RotateKey,
  fields: {
    replaces: string | null;
    key: Pick<Key, "name" | "role" | "expiresAtMs">;
  },
): IssuedKey | KeyFailure {
  const { nowMs } = tx;
  const { replaces } = fields;
  if (tx.stores.keys.count(nowMs) >= MAX_KEYS) {
    const detail = `A tenant has at most ${MAX_KEYS} keys: end one that is not used any more.`;
    return { kind: "over_limit", detail };
  }
  const { id, prefix, secretHash } = newKey;
  const key: Key = { ...fields.key, id, prefix, createdAtMs: nowMs, lastUsedDay: null };
  tx.stores.keys.insert(key, secretHash);
  if (idempotency !== null) {
    const { fingerprint } = idempotency;
    const scope = { route, key: idempotency.key, nowMs };
    tx.stores.idempotency.remember(scope, { fingerprint, subject: id, verdictIds: [] });
  }
  return { kind: "issued", key, replaces, repeated: false };
}

/** The router repeats a message that was cut off: the key that it drew is there already. */
function sameKey(tx: Tx, { id }: NewKey, replaces: string | null): IssuedKey | null {
  const key = tx.stores.keys.read(id, tx.nowMs);
  return key === null ? null : { kind: "issued", key, replaces, repeated: false };
}

function earlierKey(
  tx: Tx,
  { route, idempotency }: IssueKey | RotateKey,
): IssuedKey | KeyFailure | null {
  const found =
    idempotency === null ? null : tx.stores.idempotency.find(route, idempotency.key, tx.nowMs);
  if (found === null || idempotency === null) return null;
  if (found.fingerprint !== idempotency.fingerprint) return { kind: "idempotency_key_reused" };
  const key = tx.stores.keys.read(found.subject, tx.nowMs);
  if (key === null) return { kind: "not_found", what: "key" };
  return { kind: "issued", key, replaces: null, repeated: true };
}

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
