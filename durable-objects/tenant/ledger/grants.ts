import type {
  ConflictFailure,
  LookupFailure,
  RequestFailure,
} from "../../../src/domain/ledger/failure.ts";
import { type Grant, isOpenAt, leftIn } from "../../../src/domain/ledger/grant.ts";
import {
  fromNeurons,
  type MicroNeurons,
  toNeurons,
  ZERO,
} from "../../../src/domain/ledger/micro-neurons.ts";
import type { TenantStores } from "../stores.ts";
import type { Idempotency } from "../protocol.ts";

// Grants as the platform makes, reads and ends them.

/** That have not ended: they are in memory, and read when the object starts. */
export const MOST_GRANTS = 100;

/** All that are open together: more is a slip of the finger, and sums stay exact. */
const MOST_NEURONS = fromNeurons(1_000_000_000) ?? ZERO;

/** Ten years. */
const LONGEST_MS = 3_660 * 86_400_000;

export interface NewGrant {
  readonly route: string;
  readonly id: string;
  readonly amount: MicroNeurons;
  readonly reason: string;
  readonly expiresAtMs: number;
  readonly idempotency: Idempotency | null;
}

/** `repeated`: an earlier request with this idempotency key made it. */
export interface GrantMade {
  readonly kind: "grant";
  readonly grant: Grant;
  readonly repeated: boolean;
  readonly nowMs: number;
}

export type GrantFailure =
  | Extract<ConflictFailure, { kind: "idempotency_key_reused" }>
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

export function createGrant(
  parts: TenantStores,
  request: NewGrant,
  nowMs: number,
): GrantMade | GrantFailure {
  const { id, amount, reason, expiresAtMs } = request;
  const earlier = earlierGrant(parts, request, nowMs);
  if (earlier !== null) return earlier;
  const refused = refusedGrant(parts, request, nowMs);
  if (refused !== null) return refused;
  const made = { createdAtMs: nowMs, expiresAtMs, endedAtMs: null };
  const grant: Grant = { id, amount, drawn: ZERO, reason, ...made };
  parts.ledger.grants.add(grant);
  rememberGrant(parts, request, nowMs);
  return { kind: "grant", grant, repeated: false, nowMs };
}

function refusedGrant(
  { ledger }: TenantStores,
  { amount, expiresAtMs }: NewGrant,
  nowMs: number,
): GrantFailure | null {
  if (expiresAtMs <= nowMs || expiresAtMs > nowMs + LONGEST_MS) {
    const detail = "must lie in the future, at most ten years from now";
    return { kind: "invalid_request", errors: [{ path: ["expires_at"], detail }] };
  }
  if (ledger.grants.count(nowMs) >= MOST_GRANTS) {
    const detail = `A tenant has at most ${MOST_GRANTS} grants that have not ended: end one that is not needed any more.`;
    return { kind: "over_limit", detail };
  }
  if (leftIn(ledger.grants.openAt(nowMs)) + amount > MOST_NEURONS) {
    const detail = `All grants of a tenant together have at most ${toNeurons(MOST_NEURONS)} neurons left.`;
    return { kind: "over_limit", detail };
  }
  return null;
}

/** What this request came to before: under its idempotency key, or as a message that is repeated. */
function earlierGrant(
  parts: TenantStores,
  { route, id, idempotency }: NewGrant,
  nowMs: number,
): GrantMade | GrantFailure | null {
  const same = parts.ledger.grants.find(id);
  if (same !== null) return { kind: "grant", grant: same, repeated: false, nowMs };
  if (idempotency === null) return null;
  const found = parts.idempotency.find(route, idempotency.key, nowMs);
  if (found === null) return null;
  if (found.fingerprint !== idempotency.fingerprint) return { kind: "idempotency_key_reused" };
  const grant = parts.ledger.grants.find(found.subject);
  return grant === null ? NO_GRANT : { kind: "grant", grant, repeated: true, nowMs };
}

function rememberGrant(
  parts: TenantStores,
  { route, id, idempotency }: NewGrant,
  nowMs: number,
): void {
  if (idempotency === null) return;
  const { key, fingerprint } = idempotency;
  parts.idempotency.remember({ route, key, nowMs }, { fingerprint, subject: id, verdictIds: [] });
}

export function readGrant(
  parts: TenantStores,
  id: string,
  nowMs: number,
): GrantMade | typeof NO_GRANT {
  const grant = parts.ledger.grants.find(id);
  return grant === null ? NO_GRANT : { kind: "grant", grant, repeated: false, nowMs };
}

/** What remains is gone for all that is admitted from now on. Repeatable. */
export function endGrant(
  parts: TenantStores,
  id: string,
  nowMs: number,
): GrantMade | typeof NO_GRANT {
  const found = readGrant(parts, id, nowMs);
  if (found.kind === "grant" && isOpenAt(found.grant, nowMs)) {
    parts.ledger.grants.end(found.grant, nowMs);
    return readGrant(parts, id, nowMs);
  }
  return found;
}

/** A grant as it is read at a moment. */
export interface GrantAt {
  readonly grant: Grant;
  readonly nowMs: number;
}

/** Newest first; one more than `limit` when there are more. */
export const listGrants = (
  { grants, ledger }: TenantStores,
  {
    before,
    limit,
    nowMs,
  }: { readonly before: string; readonly limit: number; readonly nowMs: number },
): GrantAt[] =>
  grants
    .list(before, limit)
    .map((grant) => ({ grant: ledger.grants.find(grant.id) ?? grant, nowMs }));

const NO_GRANT = { kind: "not_found", what: "grant" } as const;
