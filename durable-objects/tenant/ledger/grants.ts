import type { LookupFailure, RequestFailure } from "../../../src/domain/ledger/failure.ts";
import { type Grant, isOpenAt, leftIn } from "../../../src/domain/ledger/quota.ts";
import {
  fromNeurons,
  type MicroNeurons,
  toNeurons,
  ZERO,
} from "../../../src/domain/ledger/micro-neurons.ts";
import type { Tx } from "../transactions.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import { type KeyUsed, once } from "../calls/once.ts";
import type { TenantContext } from "../feature.ts";
import { pageOf } from "../page.ts";

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
  | KeyUsed
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

export function createGrant(tx: Tx, request: NewGrant): GrantMade | GrantFailure {
  const { id, amount, reason, expiresAtMs } = request;
  const { nowMs } = tx;
  const { grants } = tx.stores.ledger;
  return once(
    tx,
    request,
    (known, repeated): GrantMade | GrantFailure | null => {
      const grant = grants.find(known);
      return grant === null ? null : { kind: "grant", grant, repeated, nowMs };
    },
    () => {
      const refused = refusedGrant(tx, request);
      if (refused !== null) return refused;
      const made = { createdAtMs: nowMs, expiresAtMs, endedAtMs: null };
      const grant: Grant = { id, amount, drawn: ZERO, reason, ...made };
      grants.add(grant);
      return { kind: "grant" as const, grant, repeated: false, nowMs };
    },
  );
}

function refusedGrant(
  { stores: { ledger }, nowMs }: Tx,
  { amount, expiresAtMs }: NewGrant,
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

export function readGrant(tx: Tx, id: string): GrantMade | typeof NO_GRANT {
  const grant = tx.stores.ledger.grants.find(id);
  return grant === null ? NO_GRANT : { kind: "grant", grant, repeated: false, nowMs: tx.nowMs };
}

/** What remains is gone for all that is admitted from now on. Repeatable. */
export function endGrant(tx: Tx, id: string): GrantMade | typeof NO_GRANT {
  const found = readGrant(tx, id);
  if (found.kind === "grant" && isOpenAt(found.grant, tx.nowMs)) {
    tx.stores.ledger.grants.end(found.grant, tx.nowMs);
    return readGrant(tx, id);
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
  { stores: { grants, ledger }, nowMs }: Tx,
  { before, limit }: { readonly before: string; readonly limit: number },
): GrantAt[] =>
  grants
    .list(before, limit)
    .map((grant) => ({ grant: ledger.grants.find(grant.id) ?? grant, nowMs }));

const NO_GRANT = { kind: "not_found", what: "grant" } as const;

export const GRANT_OPERATIONS = {
  createGrant: ({ write }: TenantContext, caller: Caller, request: NewGrant) =>
    write(caller, (tx) => createGrant(tx, request)),

  readGrant: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => readGrant(tx, id)),

  endGrant: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => endGrant(tx, id)),

  listGrants: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, (tx) => pageOf(listGrants(tx, { before, limit }), limit)),
};
