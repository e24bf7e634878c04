import { CATEGORIES, type Category, forEach, type Scores } from "../../src/domain/category.ts";
import {
  type Action,
  CHECK_STATUSES,
  type CheckStatus,
  type Decision,
  type Reason,
  type Review,
  type StageResult,
  type Verdict,
} from "../../src/domain/verdict.ts";

// A verdict as it is stored. Coverage and scores are kept by the position of their category, since
// their names would be most of the row; what lists filter by has columns.

export type VerdictRow = {
  id: string;
  call_id: string;
  created_at_ms: number;
  decision: Decision;
  approved: number;
  policy_name: string;
  policy_version: number;
  user_id: string | null;
  content_id: string | null;
  batch_id: string | null;
  review_state: Review["state"];
  body: string;
};

type StageTuple = readonly [
  stage: Omit<StageResult, "scores" | "status">,
  status: number,
  scores: readonly (number | null)[],
];

interface VerdictBody {
  readonly metadata: Verdict["metadata"];
  readonly language: string | null;
  readonly by: Verdict["decidedBy"];
  readonly revision: number;
  readonly actions: readonly Action[];
  readonly reasons: readonly Reason[];
  /** One digit a category: the index of its status. */
  readonly coverage: string;
  readonly stages: readonly StageTuple[];
  readonly amount: number;
  /** Without a priority it is normal. */
  readonly review: Omit<Review, "state" | "priority"> & Partial<Pick<Review, "priority">>;
  readonly hash: string;
  /** Absent: it was none. */
  readonly test?: true;
}

export const toRow = (verdict: Verdict, callId: string): VerdictRow => ({
  id: verdict.id,
  call_id: callId,
  created_at_ms: verdict.createdAtMs,
  decision: verdict.decision,
  approved: verdict.approved ? 1 : 0,
  policy_name: verdict.policy.name,
  policy_version: verdict.policy.version,
  user_id: verdict.userId,
  content_id: verdict.contentId,
  batch_id: verdict.batchId,
  review_state: verdict.review.state,
  body: JSON.stringify(encode(verdict)),
});

export function toVerdict(row: VerdictRow): Verdict {
  const body = JSON.parse(row.body) as VerdictBody;
  return {
    id: row.id,
    contentId: row.content_id,
    userId: row.user_id,
    metadata: body.metadata,
    language: body.language,
    decision: row.decision,
    approved: row.approved === 1,
    decidedBy: body.by,
    revision: body.revision,
    actions: body.actions,
    reasons: body.reasons,
    coverage: forEach(CATEGORIES, (category) =>
      statusAt(Number(body.coverage[CATEGORIES.indexOf(category)] ?? 4)),
    ),
    stages: body.stages.map(([stage, status, scores]) => ({
      ...stage,
      status: statusAt(status),
      scores: decodeScores(scores),
    })),
    microNeurons: body.amount,
    policy: { name: row.policy_name, version: row.policy_version },
    review: { priority: "normal", ...body.review, state: row.review_state },
    batchId: row.batch_id,
    test: body.test ?? false,
    contentHash: body.hash,
    createdAtMs: row.created_at_ms,
  };
}

function encode(verdict: Verdict): VerdictBody {
  const { state: _column, priority, ...rest } = verdict.review;
  const review = priority === "normal" ? rest : { ...rest, priority };
  return {
    metadata: verdict.metadata,
    language: verdict.language,
    by: verdict.decidedBy,
    revision: verdict.revision,
    actions: verdict.actions,
    reasons: verdict.reasons,
    coverage: CATEGORIES.map((c) => CHECK_STATUSES.indexOf(verdict.coverage[c])).join(""),
    stages: verdict.stages.map(({ scores, status, ...stage }) => [
      stage,
      CHECK_STATUSES.indexOf(status),
      encodeScores(scores),
    ]),
    amount: verdict.microNeurons,
    review,
    hash: verdict.contentHash,
    ...(verdict.test && { test: true }),
  };
}

const statusAt = (index: number): CheckStatus => CHECK_STATUSES[index] ?? "not_required";

/** Trailing categories without a score take no room. */
function encodeScores(scores: Scores): (number | null)[] {
  const all = CATEGORIES.map((category) => scores[category] ?? null);
  return all.slice(0, all.findLastIndex((score) => score !== null) + 1);
}

const decodeScores = (scores: readonly (number | null)[]): Scores =>
  Object.fromEntries(
    CATEGORIES.flatMap((category: Category, at) => {
      const score = scores[at] ?? null;
      return score === null ? [] : [[category, score]];
    }),
  );
