import {
  CATEGORIES,
  type Category,
  forEach,
  type Scores,
} from "../../../src/domain/moderation/category.ts";
import { BASES } from "../../../src/domain/ledger/ledger.ts";
import {
  type Action,
  type CheckStatus,
  type CoverageStatus,
  type Decision,
  type Reason,
  type Review,
  type Span,
  type StageResult,
  type Verdict,
  type VerdictReuse,
} from "../../../src/domain/moderation/verdict.ts";

// A verdict as it is stored. A row of a table without row ids has about 1,000 bytes in its page, and
// what is longer takes a page of 4 kB for itself: so names are left out where the position tells them
// (of categories, and of a stage's fields), and whatever is as it mostly is. What lists filter by has
// columns.

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

type StoredScores = readonly (number | null)[];

/** A stage whose fields have names: verdicts were stored so at first. */
type NamedStage = readonly [
  stage: Omit<StageResult, "scores" | "status">,
  status: number,
  scores: StoredScores,
];

type StageTuple = readonly [
  name: StageResult["name"],
  input: StageResult["input"],
  /** With `STORED_PHRASES` as one character each, as `engine` is. */
  model: string | null,
  /** 1: as the model itself. */
  pricedAs: string | 1 | null,
  engine: string,
  status: number,
  scores: StoredScores,
  latencyMs: number,
  microNeurons: number,
  /** Its position. */
  basis: number,
  /** What most stages do not have. */
  more?: Partial<Pick<StageResult, "failure" | "measurements" | "instructions" | "sample">>,
];

type ReasonTuple = readonly [
  kind: Reason["kind"],
  /** Its position; -1: none. */
  category: number,
  input: Reason["input"],
  score: number | null,
  threshold: number | null,
  /** With `STORED_PHRASES` as one character each. */
  message: string,
  /** What most reasons do not have. */
  more?: StoredEvidence,
];

type Evidence = Pick<Reason, "spans" | "term">;

interface StoredEvidence extends Pick<Reason, "term"> {
  /** Each start and end in turn. At first they were objects. */
  readonly spans?: readonly number[] | readonly Span[];
}

/** Absent: nothing, or as `COMMON` says. */
interface VerdictBody {
  readonly metadata?: Verdict["metadata"];
  readonly language: string | null;
  readonly by?: Verdict["decidedBy"];
  readonly revision?: number;
  readonly actions?: readonly Action[];
  readonly reasons?: readonly (ReasonTuple | Reason)[];
  /** One digit a category: the index of its status. */
  readonly coverage: string;
  readonly stages: readonly (StageTuple | NamedStage)[];
  readonly amount: number;
  readonly review?: Partial<Omit<Review, "state">>;
  readonly hash: string;
  readonly test?: true;
  readonly reuse?: VerdictReuse;
}

const COMMON = { by: "policy", revision: 1 } as const;

const NO_REVIEW: Omit<Review, "state"> = {
  origin: null,
  priority: "normal",
  key_id: null,
  claim_expires_at: null,
  note: null,
};

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
    metadata: body.metadata ?? {},
    language: body.language,
    decision: row.decision,
    approved: row.approved === 1,
    decidedBy: body.by ?? COMMON.by,
    revision: body.revision ?? COMMON.revision,
    actions: body.actions ?? [],
    reasons: (body.reasons ?? []).map(decodeReason),
    coverage: forEach(CATEGORIES, (category) =>
      coverageAt(Number(body.coverage[CATEGORIES.indexOf(category)] ?? 4)),
    ),
    stages: body.stages.map(decodeStage),
    microNeurons: body.amount,
    policy: { name: row.policy_name, version: row.policy_version },
    review: { ...NO_REVIEW, ...body.review, state: row.review_state },
    batchId: row.batch_id,
    test: body.test ?? false,
    contentHash: body.hash,
    ...(body.reuse !== undefined && { reuse: body.reuse }),
    createdAtMs: row.created_at_ms,
  };
}

function encode(verdict: Verdict): VerdictBody {
  const { metadata, decidedBy, revision, actions, reasons } = verdict;
  const review = uncommonReview(verdict.review);
  return {
    ...(Object.keys(metadata).length > 0 && { metadata }),
    language: verdict.language,
    ...(decidedBy !== COMMON.by && { by: decidedBy }),
    ...(revision !== COMMON.revision && { revision }),
    ...(actions.length > 0 && { actions }),
    ...(reasons.length > 0 && { reasons: reasons.map(encodeReason) }),
    coverage: CATEGORIES.map((c) => indexOf(verdict.coverage[c])).join(""),
    stages: verdict.stages.map(encodeStage),
    amount: verdict.microNeurons,
    ...(Object.keys(review).length > 0 && { review }),
    hash: verdict.contentHash,
    ...(verdict.test && { test: true }),
    ...(verdict.reuse !== undefined && { reuse: verdict.reuse }),
  };
}

function uncommonReview({ state: _column, ...review }: Review): Partial<Omit<Review, "state">> {
  const common: Readonly<Record<string, unknown>> = NO_REVIEW;
  return Object.fromEntries(Object.entries(review).filter(([name, is]) => is !== common[name]));
}

function encodeStage(stage: StageResult): StageTuple {
  const { name, input, model, priced_as, engine, status, scores, latency_ms, ...rest } = stage;
  const { micro_neurons, basis, failure, ...others } = rest;
  const { measurements, instructions, sample, ...none } = others;
  // Does not compile where a field is not stored.
  void (none satisfies Readonly<Record<string, never>>);
  const more = {
    ...(failure !== null && failure !== undefined && { failure }),
    ...(measurements !== null && { measurements }),
    ...(instructions !== undefined && { instructions }),
    ...(sample !== undefined && { sample }),
  };
  const tuple = [
    name,
    input,
    model === null ? null : shortened(model),
    model !== null && priced_as === model ? 1 : priced_as,
    shortened(engine),
    indexOf(status),
    encodeScores(scores),
    latency_ms,
    micro_neurons,
    BASES.indexOf(basis),
  ] as const;
  return Object.keys(more).length > 0 ? [...tuple, more] : tuple;
}

function decodeStage(stored: StageTuple | NamedStage): StageResult {
  if (isNamed(stored)) {
    const [stage, status, scores] = stored;
    return { ...stage, status: statusAt(status), scores: decodeScores(scores) };
  }
  const [name, input, shortModel, pricedAs, engine, status, scores, latencyMs, microNeurons] =
    stored;
  const model = shortModel === null ? null : lengthened(shortModel);
  const [, , , , , , , , , basis, more] = stored;
  return {
    name,
    input,
    model,
    priced_as: pricedAs === 1 ? model : pricedAs,
    engine: lengthened(engine),
    status: statusAt(status),
    scores: decodeScores(scores),
    latency_ms: latencyMs,
    micro_neurons: microNeurons,
    basis: BASES[basis] ?? "held",
    measurements: null,
    failure: null,
    ...more,
  };
}

function encodeReason(reason: Reason): ReasonTuple {
  const { kind, category, input, score, threshold, message, spans, term, ...none } = reason;
  // Does not compile where a field is not stored.
  void (none satisfies Readonly<Record<string, never>>);
  const more = {
    ...(spans !== undefined && { spans: spans.flatMap(({ start, end }) => [start, end]) }),
    ...(term !== undefined && { term }),
  };
  const at = category === null ? -1 : CATEGORIES.indexOf(category);
  const tuple = [kind, at, input, score, threshold, shortened(message)] as const;
  return Object.keys(more).length > 0 ? [...tuple, more] : tuple;
}

function decodeReason(stored: ReasonTuple | Reason): Reason {
  if (!isReasonTuple(stored)) return stored;
  const [kind, at, input, score, threshold, message, more] = stored;
  const category = CATEGORIES[at] ?? null;
  const read = { kind, category, input, score, threshold, message: lengthened(message) };
  return more === undefined ? read : { ...read, ...decodeEvidence(more) };
}

const decodeEvidence = ({ spans, ...more }: StoredEvidence): Evidence =>
  spans === undefined ? more : { ...more, spans: decodeSpans(spans) };

function decodeSpans(stored: readonly number[] | readonly Span[]): readonly Span[] {
  const spans: Span[] = [];
  for (const [at, one] of stored.entries()) {
    if (typeof one !== "number") spans.push(one);
    else if (at % 2 === 0) spans.push({ start: one, end: Number(stored[at + 1]) });
  }
  return spans;
}

/**
 * What messages of reasons, and names of models and engines, mostly consist of. The order is part of the
 * stored format: append only.
 */
const STORED_PHRASES = [
  "The small text model scores ",
  " and the judge scores ",
  ": a person should look.",
  "; this policy blocks from ",
  "; this policy flags from ",
  "workers-ai",
  "embedded",
  "neurogate/tier0@",
  "@cf/huggingface/distilbert-sst-2-int8",
  "@cf/meta/llama-3.1-8b-instruct-fp8",
] as const;

/** Of private use in Unicode: no message or name has them, since none quotes a content. */
const FIRST_PHRASE = 0xe000;

const phrases = STORED_PHRASES.map(
  (phrase, at) => [phrase, String.fromCodePoint(FIRST_PHRASE + at)] as const,
);

const shortened = (message: string): string =>
  phrases.reduce((text, [phrase, sign]) => text.replaceAll(phrase, sign), message);

const lengthened = (stored: string): string =>
  phrases.reduce((text, [phrase, sign]) => text.replaceAll(sign, phrase), stored);

const isReasonTuple = (stored: ReasonTuple | Reason): stored is ReasonTuple =>
  Array.isArray(stored);

const isNamed = (stored: StageTuple | NamedStage): stored is NamedStage =>
  typeof stored[0] === "object";

/** The order is part of the stored format: append only. */
const STORED_STATUSES = [
  "failed",
  "timed_out",
  "not_evaluated",
  "evaluated",
  "not_required",
  "calibrated",
] as const satisfies readonly CoverageStatus[];

const indexOf = (status: CoverageStatus): number => STORED_STATUSES.indexOf(status);

const coverageAt = (index: number): CoverageStatus => STORED_STATUSES[index] ?? "not_required";

/** Of a stage: no stage is `calibrated`. */
const statusAt = (index: number): CheckStatus => {
  const status = coverageAt(index);
  return status === "calibrated" ? "not_required" : status;
};

/** In place of a score that is not there. At first it was null. */
const NO_SCORE = -1;

/** Trailing categories without a score take no room. */
function encodeScores(scores: Scores): number[] {
  const all = CATEGORIES.map((category) => scores[category] ?? NO_SCORE);
  return all.slice(0, all.findLastIndex((score) => score !== NO_SCORE) + 1);
}

const decodeScores = (scores: readonly (number | null)[]): Scores =>
  Object.fromEntries(
    CATEGORIES.flatMap((category: Category, at) => {
      const score = scores[at] ?? NO_SCORE;
      return score === NO_SCORE ? [] : [[category, score]];
    }),
  );
