import { DEFAULT_MODEL, planAnalysis } from "../../../src/domain/documents/plan-analysis.ts";
import { MODEL_TASKS } from "../../../src/domain/documents/prompts.ts";
import type { DocumentTask } from "../../../src/domain/documents/task.ts";
import { refusalOf } from "../../../src/domain/ledger/admission.ts";
import { type MicroNeurons, microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { mayCostNothing } from "../../../src/domain/moderation/plan-moderation.ts";
import { REQUESTS } from "../../../src/domain/ledger/rate-limit.ts";
import { modelsFor } from "../../../src/domain/tenant/settings.ts";
import { authorise, type Tx } from "../transactions.ts";
import { takenId } from "../documents/documents.ts";
import { isStorageFull } from "./admit.ts";
import { modelFinder } from "./plan-call.ts";
import { countRefusal } from "../ledger/refusals.ts";
import type { AdmitFailure, Caller } from "../protocol.ts";

// Whether a large body is worth reading, before it is read: the reply is that of its call, as far as it
// is known without the body. Nothing is held, and only a conversion takes of a rate: the call is admitted
// or refused when it comes.

export interface ReadRequest {
  readonly requestId: string;
  readonly caller: Caller;
  /** Of what the route admits; null: it admits nothing, and only the key, tenant and role count. */
  readonly call: {
    readonly kind: "moderation" | "generation" | "document" | "scoring";
    /** As in an admission. */
    readonly route: string;
    readonly idempotencyKey: string | null;
    /**
     * A document whose file is to be converted now: that takes the unit of `requests` of its call. Absent:
     * nothing is known of the body.
     */
    readonly document?: {
      /** As the caller chose it; null: it has none yet. */
      readonly id: string | null;
      /** As the caller named it. */
      readonly model: string | null;
      readonly tasks: readonly DocumentTask[];
    };
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
  const reply =
    access.kind === "granted" ? (refusalBefore(tx, call) ?? refusalOfUnit(tx, call)) : access;
  if (reply === null) return MAY_READ;
  countRefusal({ ...tx, keyId }, { requestId, route: call.route }, reply);
  return reply;
}

/** What would be refused whatever the body says. */
function refusalBefore(
  tx: Tx,
  { kind, route, idempotencyKey, document }: NonNullable<ReadRequest["call"]>,
): AdmitFailure | null {
  // What was made under the key is given again, or refused, by the body: both cost nothing.
  const isRepeat =
    idempotencyKey !== null && tx.stores.idempotency.find(route, idempotencyKey, tx.nowMs) !== null;
  if (isRepeat) return null;
  if (isStorageFull(tx)) return { kind: "storage_full" };
  const unfit = document === undefined ? null : refusalOfDocument(tx, document);
  if (unfit !== null) return unfit;
  const now = tx.stores.ledger.standing(tx.profile);
  const units = { [REQUESTS]: 1 };
  if (kind === "scoring") return refusalOf(now, { bound: ZERO, units, asksNoEngine: true });
  const refusalAt = (bound: MicroNeurons) => refusalOf(now, { bound, units });
  const refusal = refusalAt(LEAST);
  if (refusal === null || kind === "generation") return refusal;
  return hasFreePolicy(tx) ? refusalAt(ZERO) : refusal;
}

/** Each conversion is in the rate, also that of a call which is refused afterwards, or given again. */
const refusalOfUnit = (
  { profile, stores }: Tx,
  { document }: NonNullable<ReadRequest["call"]>,
): AdmitFailure | null =>
  document === undefined ? null : stores.ledger.takeUnits(profile, { [REQUESTS]: 1 });

/** An id that is taken, or a model that may not run. */
function refusalOfDocument(
  tx: Tx,
  { id, model, tasks }: NonNullable<NonNullable<ReadRequest["call"]>["document"]>,
): AdmitFailure | null {
  const taken = id === null ? null : takenId(tx, { id });
  if (taken !== null) return taken;
  const measured = MODEL_TASKS.filter((task) => tasks.includes(task)).map((task) => ({
    task,
    calls: [SHORTEST] as const,
  }));
  const models = modelsFor(tx.profile.settings, model ?? DEFAULT_MODEL);
  const plan = planAnalysis(measured, models, modelFinder(tx));
  return plan.kind === "planned" ? null : plan;
}

/** A call of any document. */
const SHORTEST = { kind: "chat", textTokens: 1, maxTokens: 1 } as const;

/** What costs anything costs one micro-neuron at least. */
const LEAST = microNeurons(1);

const hasFreePolicy = ({ stores: { policies } }: Tx): boolean =>
  policies.names().some((name) => {
    const found = policies.latest(name);
    return found !== null && mayCostNothing(found.policy);
  });
