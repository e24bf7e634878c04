import type { Category } from "../../../src/domain/moderation/category.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import type { VerdictRow } from "./verdict-row.ts";
import type { VerdictQuery } from "./verdict-store.ts";

// Which verdicts a query is for: what an index finds, and what is looked for on the rows.

/** The partial indexes of the schema; column names are ours, values are bound. */
export function narrowest(query: VerdictQuery): { column: string; value: string } | null {
  if (query.contentId !== null) return { column: "content_id", value: query.contentId };
  if (query.userId !== null) return { column: "user_id", value: query.userId };
  if (query.review === "open" || query.review === "claimed") {
    return { column: `review_state IN ('open', 'claimed') AND review_state`, value: query.review };
  }
  return null;
}

export const same = (wanted: string | null, value: string | null): boolean =>
  wanted === null || wanted === value;

export const matches = (row: VerdictRow, query: VerdictQuery): boolean =>
  same(query.userId, row.user_id) &&
  same(query.contentId, row.content_id) &&
  same(query.decision, row.decision) &&
  same(query.policy, row.policy_name) &&
  same(query.review, row.review_state) &&
  same(query.batchId, row.batch_id) &&
  row.created_at_ms >= (query.fromMs ?? 0) &&
  row.created_at_ms < (query.toMs ?? Number.MAX_SAFE_INTEGER);

export const hasReason = (verdict: Verdict, category: Category): boolean =>
  verdict.reasons.some((reason) => reason.category === category);
