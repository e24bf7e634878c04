import type { FailureKind, RequestFailure } from "../domain/ledger/failure.ts";
import type { Idempotency } from "../../durable-objects/tenant/protocol.ts";
import { parseIdempotencyKey } from "../http/idempotency-key.ts";

// What several routes share.

/** Any question to a tenant's object, by a key of its own or through a mirror. */
export const TENANT_READ = [
  "tenant_suspended",
  "role_required",
  "not_found",
] as const satisfies readonly FailureKind[];

/** A call that is admitted by the tenant's object. */
export const GOVERNED = [
  "tenant_suspended",
  "role_required",
  "model_not_allowed",
  "model_not_found",
  "model_retired",
  "unpriced_model",
  "unbounded_usage",
  "over_limit",
  "idempotency_key_reused",
  "idempotency_in_progress",
  "idempotency_replay_unavailable",
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
  "storage_full",
  "settlement_unavailable",
] as const satisfies readonly FailureKind[];

type InvalidRequest = Extract<RequestFailure, { kind: "invalid_request" }>;

export const invalid = (path: readonly (string | number)[], detail: string): InvalidRequest => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});

/** A cursor of lists that are paged by index. */
export function parseIndex(cursor: string | undefined): number | InvalidRequest {
  if (cursor === undefined) return 0;
  return /^\d{1,9}$/.test(cursor)
    ? Number(cursor)
    : invalid(["cursor"], "is not a cursor of this list");
}

/** The `Idempotency-Key` of a request with a body. */
export async function idempotencyOf(call: {
  readonly request: Request;
  readonly fingerprint: () => Promise<string>;
}): Promise<{ readonly kind: "read"; readonly idempotency: Idempotency | null } | InvalidRequest> {
  const key = parseIdempotencyKey(call.request.headers.get("Idempotency-Key"));
  if (key === null) return { kind: "read", idempotency: null };
  if (typeof key !== "string") return key;
  return { kind: "read", idempotency: { key, fingerprint: await call.fingerprint() } };
}

/** `If-Match: "3"` names a version; `*` any. Null: not given. */
export function parseIfMatch(header: string | null): number | null | InvalidRequest {
  if (header === null || header.trim() === "*") return null;
  const version = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim())?.[1];
  return version === undefined
    ? invalid(["If-Match"], "must be a version in quotes")
    : Number(version);
}
