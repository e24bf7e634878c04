import type { LookupFailure } from "../../../src/domain/ledger/failure.ts";
import {
  review,
  type ReviewAct,
  type Reviewed,
  verdictAt,
} from "../../../src/domain/moderation/review.ts";
import type { Revision, Verdict } from "../../../src/domain/moderation/verdict.ts";
import { noteVerdict } from "./moderation-log.ts";
import type { TenantContext, TenantFeature } from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Tx } from "../transactions.ts";
import { REVISIONS } from "./people-schema.ts";
import { noteDisputed } from "./reuse.ts";
import type { Caller, Idempotency } from "../protocol.ts";

// Reviews, each in one transaction of the object: so two people never decide the same thing.

type NotFound = Extract<LookupFailure, { kind: "not_found" }>;

/** Claims that one transaction opens again: as many as one can claim. */
export const MOST_RELEASED = 200;

const NO_VERDICT: NotFound = { kind: "not_found", what: "verdict" };

export const REVIEWS_FEATURE: TenantFeature = {
  name: "reviews",
  tables: [REVISIONS],
  capability: ({ stores: { revisions } }) => ({
    maintain: releaseClaims,
    personal: [
      personalData<"revision">({
        name: "revisions",
        find: (person, from) => {
          const { revisions: found, next } = revisions.ofPerson(person, from);
          return { records: found.map((revision) => ({ kind: "revision", revision })), next };
        },
        erase: (_, { revision }) => revisions.delete(revision),
      }),
    ],
  }),
};

export function reviewVerdict(
  tx: Tx,
  { id, act }: { readonly id: string; readonly act: ReviewAct },
): Reviewed | NotFound {
  const before = tx.stores.verdicts.read(id);
  if (before === null) return NO_VERDICT;
  const outcome = review(before, act, tx);
  if (outcome.kind !== "reviewed") return outcome;
  const { verdict } = outcome;
  tx.stores.verdicts.update(verdict);
  const isDoubted = act.state === "open" || verdict.decision !== before.decision;
  if (isDoubted) noteDisputed(tx, verdict);
  if (verdict.revision === before.revision) return outcome;
  decidedAnew(tx, before, verdict);
  noteVerdict(tx, verdict);
  return outcome;
}

/**
 * The oldest that are open, so that no item waits for ever. Of those whose claim has passed a bounded
 * number is opened first: enough of them for this call.
 */
export function claimVerdicts(tx: Tx, limit: number): Verdict[] {
  releaseClaims(tx);
  return tx.stores.verdicts.listOpen(limit).flatMap((verdict) => {
    const outcome = review(verdict, { state: "claimed" }, tx);
    if (outcome.kind !== "reviewed") return [];
    tx.stores.verdicts.update(outcome.verdict);
    return [outcome.verdict];
  });
}

export interface ClaimRequest {
  readonly route: string;
  readonly limit: number;
  readonly idempotency: Idempotency | null;
}

const answer = (verdicts: readonly Verdict[]) => ({
  kind: "verdicts" as const,
  verdicts,
  next: null,
});

/**
 * As `claimVerdicts`, once for an idempotency key: a repeat gets the same verdicts as they are by then. A
 * claim is its reviewer's, so the same request of another API key is another one.
 */
function claimOnce(tx: Tx, { route, limit, idempotency }: ClaimRequest) {
  const { idempotency: keys, verdicts: kept } = tx.stores;
  const { nowMs } = tx;
  if (idempotency === null) return answer(claimVerdicts(tx, limit));
  const { key } = idempotency;
  const fingerprint = `${tx.keyId ?? "platform"} ${idempotency.fingerprint}`;
  const before = keys.find(route, key, nowMs);
  if (before !== null) {
    if (before.fingerprint !== fingerprint) return { kind: "idempotency_key_reused" } as const;
    const again = before.verdictIds.map((id) => kept.read(id)).filter((one) => one !== null);
    return answer(again.map((verdict) => verdictAt(verdict, nowMs)));
  }
  const claimed = claimVerdicts(tx, limit);
  // A queue that is empty leaves no record: the repeat looks again.
  if (claimed.length > 0) {
    const verdictIds = claimed.map(({ id }) => id);
    keys.remember({ route, key, nowMs }, { fingerprint, subject: "", verdictIds });
  }
  return answer(claimed);
}

/** Claims whose time has passed are open again; lists say so before. True when there may be more. */
export function releaseClaims(tx: Tx): boolean {
  const expired = tx.stores.verdicts.listClaimedUntil(tx.nowMs, MOST_RELEASED);
  for (const verdict of expired) tx.stores.verdicts.update(verdictAt(verdict, tx.nowMs));
  return expired.length === MOST_RELEASED;
}

export function listRevisions(
  tx: Tx,
  id: string,
):
  | {
      readonly kind: "revisions";
      readonly verdict: Verdict;
      readonly revisions: readonly Revision[];
    }
  | NotFound {
  const verdict = tx.stores.verdicts.read(id);
  if (verdict === null) return NO_VERDICT;
  const decided = tx.stores.revisions.list(id);
  const revisions = decided.length > 0 ? decided : [revisionOf(verdict, verdict.createdAtMs)];
  return { kind: "revisions", verdict, revisions };
}

/** The first revision is kept when there is a second: most verdicts never have one. */
function decidedAnew(tx: Tx, before: Verdict, after: Verdict): void {
  if (before.revision === 1) tx.stores.revisions.write(revisionOf(before, before.createdAtMs));
  tx.stores.revisions.write(revisionOf(after, tx.nowMs));
  const { id, decision } = after;
  const draft = { type: "moderation.review", subject: id, decision, data: null } as const;
  tx.stores.outbox.record(draft, tx.nowMs);
}

const revisionOf = (verdict: Verdict, createdAtMs: number): Revision => ({
  verdictId: verdict.id,
  revision: verdict.revision,
  decision: verdict.decision,
  approved: verdict.approved,
  decidedBy: verdict.decidedBy,
  keyId: verdict.decidedBy === "review" ? verdict.review.key_id : null,
  note: verdict.decidedBy === "review" ? verdict.review.note : null,
  createdAtMs,
});

export const REVIEW_OPERATIONS = {
  reviewVerdict: (
    { write, feed }: TenantContext,
    caller: Caller,
    request: Parameters<typeof reviewVerdict>[1],
  ) =>
    write(caller, (tx) => {
      feed.changed();
      return reviewVerdict(tx, request);
    }),

  claimVerdicts: ({ ask }: TenantContext, caller: Caller, request: ClaimRequest) =>
    ask(caller, (tx) => claimOnce(tx, request)),

  listRevisions: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => listRevisions(tx, id)),
};
