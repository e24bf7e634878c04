import { refusalOf } from "../../../src/domain/ledger/admission.ts";
import { type MicroNeurons, microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { mayCostNothing } from "../../../src/domain/moderation/plan-moderation.ts";
import { REQUESTS } from "../../../src/domain/ledger/rate-limit.ts";
import { authorise, type Tx } from "../transactions.ts";
import { isStorageFull } from "./admit.ts";
import { countRefusal } from "../ledger/refusals.ts";
import type { AdmitFailure, Caller } from "../protocol.ts";

// Whether a large body is worth reading, before it is read: the reply is that of its call, as far as it
// is known without the body. Nothing is held and no rate is taken: the call is admitted or refused when
// it comes.

export interface ReadRequest {
  readonly requestId: string;
  readonly caller: Caller;
  /** Of what the route admits; null: it admits nothing, and only the key, tenant and role count. */
  readonly call: {
    readonly kind: "moderation" | "generation" | "document" | "scoring";
    /** As in an admission. */
    readonly route: string;
    readonly idempotencyKey: string | null;
  } | null;
}

export type ReadReply =
  | { readonly kind: "may_read" }
  /** It was a key of this tenant and never will be again. */
  | { readonly kind: "key_ended" }
  | AdmitFailure;

export const MAY_READ = { kind: "may_read" } as const;

export function mayRead(tx: Tx, { caller, call, requestId }: ReadRequest): ReadReply {
  const access = authorise(tx, caller);
  if (access.kind === "invalid_key") {
    const isFinal = caller.kind === "key" && tx.stores.keys.hasEnded(caller.secretHash, tx.nowMs);
    return isFinal ? { kind: "key_ended" } : access;
  }
  if (call === null) return access.kind === "granted" ? MAY_READ : access;
  const keyId = access.kind === "granted" ? access.keyId : null;
  const reply = access.kind === "granted" ? refusalBefore(tx, call) : access;
  if (reply === null) return MAY_READ;
  countRefusal({ ...tx, keyId }, { requestId, route: call.route }, reply);
  return reply;
}

/** What would be refused whatever the body says. */
function refusalBefore(
  tx: Tx,
  { kind, route, idempotencyKey }: NonNullable<ReadRequest["call"]>,
): AdmitFailure | null {
  // What was made under the key is given again, or refused, by the body: both cost nothing.
  const isRepeat =
    idempotencyKey !== null && tx.stores.idempotency.find(route, idempotencyKey, tx.nowMs) !== null;
  if (isRepeat) return null;
  if (isStorageFull(tx)) return { kind: "storage_full" };
  const now = tx.stores.ledger.standing(tx.profile);
  const units = { [REQUESTS]: 1 };
  if (kind === "scoring") return refusalOf(now, { bound: ZERO, units, asksNoEngine: true });
  const refusalAt = (bound: MicroNeurons) => refusalOf(now, { bound, units });
  const refusal = refusalAt(LEAST);
  if (refusal === null || kind === "generation") return refusal;
  return hasFreePolicy(tx) ? refusalAt(ZERO) : refusal;
}

/** What costs anything costs one micro-neuron at least. */
const LEAST = microNeurons(1);

const hasFreePolicy = ({ stores: { policies } }: Tx): boolean =>
  policies.names().some((name) => {
    const found = policies.latest(name);
    return found !== null && mayCostNothing(found.policy);
  });
