import type { LookupFailure } from "../../../src/domain/ledger/failure.ts";
import {
  review,
  type ReviewAct,
  type Reviewed,
  type Reviewer,
  verdictAt,
} from "../../../src/domain/moderation/review.ts";
import type { Revision, Verdict } from "../../../src/domain/moderation/verdict.ts";
import { noteVerdict } from "./moderation-log.ts";
import type { TenantStores } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import { noteDisputed } from "./reuse.ts";

// Reviews, each one step of the object: so two people never decide the same thing.

type NotFound = Extract<LookupFailure, { kind: "not_found" }>;

/** Claims that one step opens again: as many as one step can claim. */
export const MOST_RELEASED = 200;

const NO_VERDICT: NotFound = { kind: "not_found", what: "verdict" };

export function reviewVerdict(
  parts: TenantStores,
  profile: Profile,
  { id, act }: { readonly id: string; readonly act: ReviewAct },
  reviewer: Reviewer,
): Reviewed | NotFound {
  const before = parts.verdicts.read(id);
  if (before === null) return NO_VERDICT;
  const outcome = review(before, act, reviewer);
  if (outcome.kind !== "reviewed") return outcome;
  const { verdict } = outcome;
  parts.verdicts.update(verdict);
  const isDoubted = act.state === "open" || verdict.decision !== before.decision;
  if (isDoubted) noteDisputed(parts, verdict, reviewer.nowMs);
  if (verdict.revision === before.revision) return outcome;
  decidedAnew(parts, before, verdict, reviewer.nowMs);
  noteVerdict(parts, profile, verdict);
  return outcome;
}

/**
 * The oldest that are open, so that no item waits for ever. Of those whose claim has passed a bounded
 * number is opened first: enough of them for this step.
 */
export function claimVerdicts(parts: TenantStores, limit: number, reviewer: Reviewer): Verdict[] {
  releaseClaims(parts, reviewer.nowMs);
  return parts.verdicts.listOpen(limit).flatMap((verdict) => {
    const outcome = review(verdict, { state: "claimed" }, reviewer);
    if (outcome.kind !== "reviewed") return [];
    parts.verdicts.update(outcome.verdict);
    return [outcome.verdict];
  });
}

/** Claims whose time has passed are open again; lists say so before. True when there may be more. */
export function releaseClaims(parts: TenantStores, nowMs: number): boolean {
  const expired = parts.verdicts.listClaimedUntil(nowMs, MOST_RELEASED);
  for (const verdict of expired) parts.verdicts.update(verdictAt(verdict, nowMs));
  return expired.length === MOST_RELEASED;
}

export function listRevisions(
  parts: TenantStores,
  id: string,
):
  | {
      readonly kind: "revisions";
      readonly verdict: Verdict;
      readonly revisions: readonly Revision[];
    }
  | NotFound {
  const verdict = parts.verdicts.read(id);
  if (verdict === null) return NO_VERDICT;
  const decided = parts.revisions.list(id);
  const revisions = decided.length > 0 ? decided : [revisionOf(verdict, verdict.createdAtMs)];
  return { kind: "revisions", verdict, revisions };
}

/** The first revision is kept when there is a second: most verdicts never have one. */
function decidedAnew(parts: TenantStores, before: Verdict, after: Verdict, nowMs: number): void {
  if (before.revision === 1) parts.revisions.write(revisionOf(before, before.createdAtMs));
  parts.revisions.write(revisionOf(after, nowMs));
  const { id, decision } = after;
  parts.outbox.record({ type: "moderation.review", subject: id, decision, data: null }, nowMs);
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
