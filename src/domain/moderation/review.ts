import { adviceOf } from "./category.ts";
import type { ConflictFailure } from "../ledger/failure.ts";
import { isoTime } from "../ledger/period.ts";
import { type Action, type Decision, NO_REVIEW, type Review, type Verdict } from "./verdict.ts";

// Reviews of verdicts by people.
//
//   none, done --open--> open --claim--> claimed --decide--> done
//                         |                 |
//                         +-----decide------+-- (its time passes) --> open
//
// A decision makes a revision of the verdict; opening and claiming do not.

/** How long a claim reserves an item for one reviewer. */
export const CLAIM_MS = 15 * 60_000;

export type ReviewAct =
  | { readonly state: "open"; readonly origin: "report" | "appeal"; readonly note: string | null }
  | { readonly state: "claimed" }
  | {
      readonly state: "done";
      readonly decision: Decision;
      /** The revision that the reviewer saw. */
      readonly revision: number;
      readonly note: string | null;
    };

/** The key is the reviewer of record; null: the platform. */
export interface Reviewer {
  readonly keyId: string | null;
  readonly nowMs: number;
}

type Conflict = Extract<ConflictFailure, { kind: "review_conflict" }>;

export type Reviewed = { readonly kind: "reviewed"; readonly verdict: Verdict } | Conflict;

export function review(verdict: Verdict, act: ReviewAct, reviewer: Reviewer): Reviewed {
  const current = verdictAt(verdict, reviewer.nowMs);
  switch (act.state) {
    case "open":
      return opened(current, act);
    case "claimed":
      return claimed(current, reviewer);
    case "done":
      return decided(current, act, reviewer);
  }
}

/** An expired claim counts as none. */
export function verdictAt(verdict: Verdict, nowMs: number): Verdict {
  const current = reviewAt(verdict.review, nowMs);
  return current === verdict.review ? verdict : { ...verdict, review: current };
}

const reviewAt = (stored: Review, nowMs: number): Review =>
  stored.claim_expires_at !== null && Date.parse(stored.claim_expires_at) <= nowMs
    ? { ...stored, state: "open", key_id: null, claim_expires_at: null }
    : stored;

/** The decision stays until somebody makes another. */
function opened(verdict: Verdict, act: Extract<ReviewAct, { state: "open" }>): Reviewed {
  const { state } = verdict.review;
  if (state === "open") return conflict("This verdict is already waiting for a review.");
  if (state === "claimed") return conflict("This verdict is already being reviewed.");
  const { origin, note } = act;
  const { priority } = verdict.review;
  return {
    kind: "reviewed",
    verdict: { ...verdict, review: { ...NO_REVIEW, state: "open", origin, priority, note } },
  };
}

function claimed(verdict: Verdict, { keyId, nowMs }: Reviewer): Reviewed {
  const refused = mayAct(verdict, keyId);
  if (refused !== null) return refused;
  const claim = { key_id: keyId, claim_expires_at: isoTime(nowMs + CLAIM_MS) };
  return {
    kind: "reviewed",
    verdict: { ...verdict, review: { ...verdict.review, state: "claimed", ...claim } },
  };
}

function decided(
  verdict: Verdict,
  { decision, revision, note }: Extract<ReviewAct, { state: "done" }>,
  { keyId }: Reviewer,
): Reviewed {
  const refused = mayAct(verdict, keyId);
  if (refused !== null) return refused;
  if (revision !== verdict.revision) {
    return conflict(
      `This verdict is at revision ${verdict.revision}, not ${revision}: read it again.`,
    );
  }
  return {
    kind: "reviewed",
    verdict: {
      ...verdict,
      decision,
      approved: decision === "allow",
      decidedBy: "review",
      revision: revision + 1,
      actions: actionsOf(verdict, decision),
      review: { ...verdict.review, state: "done", key_id: keyId, claim_expires_at: null, note },
    },
  };
}

/** Null: it is open to all reviewers, or claimed by this one. */
function mayAct(
  { review: { state, key_id, claim_expires_at } }: Verdict,
  keyId: string | null,
): Conflict | null {
  if (state === "none") return conflict("This verdict is not open for review.");
  if (state === "done")
    return conflict("This verdict is decided: open it again with a report or an appeal.");
  if (state === "claimed" && key_id !== keyId) {
    return conflict(`This verdict is claimed by another reviewer until ${claim_expires_at}.`);
  }
  return null;
}

/**
 * A block with a ban keeps the ban when a reviewer confirms it; a reviewer's own block warns. A person in
 * distress is offered help whatever the decision.
 */
function actionsOf(verdict: Verdict, decision: Decision): readonly Action[] {
  if (decision === "block" && verdict.decision === "block") return verdict.actions;
  return adviceOf(decision, { reasons: verdict.reasons, blocking: [], ban: false });
}

const conflict = (detail: string): Conflict => ({ kind: "review_conflict", detail });
