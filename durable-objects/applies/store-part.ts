import { NO_PROMISES } from "../../src/domain/account/account-terms.ts";
import type { RequestFailure, ServiceFailure } from "../../src/domain/ledger/failure.ts";
import {
  APPLY_LIFE_MS,
  type ApplyConflict,
  isOpen,
  MOST_ENDED,
  NO_COUNTS,
  placePart,
  type SentPart,
  type StateApply,
  RESULT_KEPT_MS,
} from "../../src/domain/tenant/state-apply.ts";
import type { ApplyStore, Sender } from "./apply-store.ts";
import type { GivenSettings } from "./apply-tenant-store.ts";

// What callers do to an apply: they send its parts, and may stop it. Each runs in one transaction.

/** A part with its tenants. */
export interface PartToStore extends SentPart, Sender {
  readonly tenants: readonly (readonly [tenant: string, settings: GivenSettings])[];
}

export type StoredPart =
  | { readonly kind: "stored"; readonly apply: StateApply }
  | ApplyConflict
  | Extract<RequestFailure, { kind: "invalid_request" }>
  | Extract<ServiceFailure, { kind: "storage_full" }>;

/**
 * Stores a part, if it is new and goes with the others. The last one starts the run.
 *
 * @param isFull there is no room for another part
 */
export function storePart(
  store: ApplyStore,
  sent: PartToStore,
  { nowMs, isFull }: { readonly nowMs: number; readonly isFull: boolean },
): StoredPart {
  const known = store.read(sent.id);
  const stored = known === null ? null : store.readDigest(known.number, sent.part);
  const open = store.list().filter(({ state }) => isOpen(state)).length;
  const place = placePart(sent, { apply: known, stored, open });
  if (place.kind === "apply_conflict") return place;
  if (place.kind === "repeated" && known !== null) return { kind: "stored", apply: known };
  if (isFull) return { kind: "storage_full" };
  const apply = known ?? begun(store.nextNumber(), sent, nowMs);
  const [twice] = store.tenants.among(
    apply.number,
    sent.tenants.map(([tenant]) => tenant),
  );
  if (twice !== undefined) {
    const [tenant, part] = twice;
    const detail = `stands in part ${part} too`;
    return { kind: "invalid_request", errors: [{ path: ["tenants", tenant], detail }] };
  }
  if (known === null) forgetOldest(store);
  store.writePart(apply.number, sent.part, sent.digest, sent);
  for (const [tenant, settings] of sent.tenants) {
    store.tenants.add(apply.number, tenant, sent.part, settings);
  }
  const storedParts = apply.storedParts + 1;
  const isWhole = storedParts === apply.parts;
  const next: StateApply = {
    ...apply,
    storedParts,
    named: apply.named + sent.tenants.length,
    state: isWhole ? "planning" : "collecting",
    actor: sent.actor,
    requestId: sent.requestId,
    startedAtMs: isWhole ? nowMs : null,
    dueAtMs: nowMs,
  };
  store.write(next);
  return { kind: "stored", apply: next };
}

const begun = (number: number, sent: PartToStore, nowMs: number): StateApply => ({
  number,
  id: sent.id,
  state: "collecting",
  parts: sent.parts,
  prune: sent.prune,
  dryRun: sent.dryRun,
  storedParts: 0,
  named: 0,
  others: 0,
  prunedTo: sent.prune ? "" : null,
  counts: NO_COUNTS,
  change: NO_PROMISES,
  warnings: [],
  actor: sent.actor,
  requestId: sent.requestId,
  begunAtMs: nowMs,
  startedAtMs: null,
  endedAtMs: null,
  expiresAtMs: nowMs + APPLY_LIFE_MS,
  dueAtMs: nowMs,
});

/** Of applies that have ended only the latest are kept, however many there are in a day. */
function forgetOldest(store: ApplyStore): void {
  const ended = store.list().filter(({ state }) => !isOpen(state));
  for (const { number } of ended.slice(MOST_ENDED - 1)) store.forget(number);
}

/** Stops what is still to be done; what has ended stays as it is. Null: there is no such apply. */
export function cancelApply(store: ApplyStore, id: string, nowMs: number): StateApply | null {
  const apply = store.read(id);
  if (apply === null || !isOpen(apply.state)) return apply;
  const ended = endedAs(apply, "cancelled", nowMs);
  store.write(ended);
  return ended;
}

export const endedAs = (
  apply: StateApply,
  state: "planned" | "done" | "cancelled" | "expired",
  nowMs: number,
): StateApply => ({
  ...apply,
  state,
  endedAtMs: nowMs,
  expiresAtMs: Math.max(apply.expiresAtMs, nowMs + RESULT_KEPT_MS),
});

/** Forgets applies that are a day old: those whose parts never became whole, and those that ended. */
export function expireApplies(store: ApplyStore, nowMs: number): void {
  for (const apply of store.list()) {
    if (apply.expiresAtMs > nowMs) continue;
    if (isOpen(apply.state) && apply.state !== "collecting") {
      store.write(endedAs(apply, "expired", nowMs));
    } else {
      store.forget(apply.number);
    }
  }
}
