import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { LOG_KEPT_MS } from "../../../src/domain/usage/report-retention.ts";
import type { LoggedVerdict } from "../../../src/domain/usage/report-rows.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import { rangeAround } from "../../id-range.ts";
import type { Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";

// Verdicts that do not allow, without content, for the platform to look through. They are found with
// the lines of their calls, as the journal is folded; what becomes of one later is noted as it happens.

const DAY_MS = 86_400_000;

/** Of calls whose lines are folded in this transaction. */
export function logVerdictsOf(
  { stores: { verdicts, reportRows }, profile }: Tx,
  lines: readonly JournalLine[],
  sequence: number,
): void {
  if (lines.length === 0) return;
  const ids = lines.map(({ callId }) => callId);
  for (const verdict of verdicts.notAllowedOf(ids, rangeAround("vrd", ids))) {
    const row = { ...logged(verdict, profile), sequence };
    reportRows.write({ kind: "logged_verdict", key: verdict.id, row });
  }
}

/** A verdict that came late, or was decided anew. Before anything was folded, the fold will find it. */
export function noteVerdict(tx: Tx, verdict: Verdict): void {
  const isKnown = tx.stores.reportRows.read("logged_verdict", verdict.id) !== null;
  if (verdict.decision === "allow") {
    if (isKnown) unlogVerdict(tx, verdict.id);
    return;
  }
  const sequence = nextSequence(tx);
  if (sequence === null) return;
  const row = { ...logged(verdict, tx.profile), sequence };
  tx.stores.reportRows.write({ kind: "logged_verdict", key: verdict.id, row });
}

/** Allowed after all, or erased: an empty row replaces it, so that no older one can come back. */
export function unlogVerdict(tx: Tx, id: string): void {
  const before = tx.stores.reportRows.read("logged_verdict", id);
  const sequence = before === null ? null : nextSequence(tx);
  if (before === null || sequence === null) return;
  const row: LoggedVerdict = {
    ...before,
    decision: "allow",
    approved: false,
    categories: [],
    userId: null,
    contentId: null,
    removed: true,
    sequence,
  };
  tx.stores.reportRows.write({ kind: "logged_verdict", key: id, row });
}

/** For a change that is no fold of lines; null: nothing was folded yet. */
export function nextSequence({ stores: { feed } }: Tx): number | null {
  const state = feed.read();
  if (state === null) return null;
  const sequence = state.sequence + 1;
  feed.write({ ...state, sequence });
  return sequence;
}

const logged = (verdict: Verdict, { settings }: Profile): Omit<LoggedVerdict, "sequence"> => ({
  verdictId: verdict.id,
  revision: verdict.revision,
  createdAtMs: verdict.createdAtMs,
  decision: verdict.decision,
  approved: verdict.approved,
  decidedBy: verdict.decidedBy,
  categories: categoriesOf(verdict),
  userId: verdict.userId,
  contentId: verdict.contentId,
  policy: verdict.policy.name,
  policyVersion: verdict.policy.version,
  removed: false,
  expiresAtMs:
    verdict.createdAtMs + Math.min(LOG_KEPT_MS, settings.verdict_retention_days * DAY_MS),
});

const categoriesOf = ({ reasons }: Verdict): readonly string[] => {
  const named = reasons.flatMap(({ category }) => (category === null ? [] : [category]));
  return [...new Set(named)].toSorted();
};
