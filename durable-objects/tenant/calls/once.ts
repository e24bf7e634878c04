import type { ConflictFailure } from "../../../src/domain/ledger/failure.ts";
import type { Idempotency } from "../protocol.ts";
import type { Tx } from "../transactions.ts";

type Reused = Extract<ConflictFailure, { kind: "idempotency_key_reused" }>;
const REUSED: Reused = { kind: "idempotency_key_reused" };

type Gone = Extract<
  ConflictFailure,
  { kind: "idempotency_replay_unavailable"; readonly subject: string }
>;

/** How a request with an idempotency key may fail that an earlier request has used. */
export type KeyUsed = Reused | Gone;

/**
 * Makes a thing once for its id, and once for an idempotency key: a repeat gets what was made before. A
 * key that comes with another request is refused, and so is one whose thing is gone.
 *
 * @param request `id`: of the thing that is to be made
 * @param read the reply for a thing that is there; null: it is not. `repeated`: an earlier request with
 *   this key made it; else this very message came before, and was cut off
 * @param make its reply has `repeated` where the thing was made
 */
export function once<Found, Made extends object>(
  { stores, nowMs }: Tx,
  request: {
    readonly id: string;
    readonly route: string;
    readonly idempotency: Idempotency | null;
  },
  read: (id: string, repeated: boolean) => Found | null,
  make: () => Made,
): Found | Made | KeyUsed {
  const { id, route, idempotency } = request;
  const same = read(id, false);
  if (same !== null) return same;
  if (idempotency === null) return make();
  const { key, fingerprint } = idempotency;
  const found = stores.idempotency.find(route, key, nowMs);
  if (found !== null) {
    if (found.fingerprint !== fingerprint) return REUSED;
    const { subject } = found;
    return read(subject, true) ?? { kind: "idempotency_replay_unavailable", subject };
  }
  const made = make();
  if ("repeated" in made) {
    const kept = { fingerprint, subject: id, verdictIds: [] };
    stores.idempotency.remember({ route, key, nowMs }, kept);
  }
  return made;
}
