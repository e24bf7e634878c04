import type { Category, LabelGroup, Scores } from "../domain/moderation/category.ts";
import {
  type CallEnd,
  type Charge,
  chargeOf,
  leastSure,
  type PlannedCall,
  sumUsage,
} from "../domain/moderation/stage.ts";
import { labelScores, topLabels } from "../domain/moderation/image-labels.ts";
import type { Item } from "../domain/ledger/ledger.ts";
import { sum } from "../domain/ledger/micro-neurons.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import type { Quoted } from "../domain/moderation/vision.ts";
import {
  type CheckFailure,
  type CheckStatus,
  type StageResult,
  worst,
} from "../domain/moderation/verdict.ts";
import type { Check, CheckOutcome, Engine, Measurements, ServedBy } from "../engines/engine.ts";
import type { ModelOutcome } from "../engines/engine-call.ts";
import { askEngine, type RunContext } from "./ask-engine.ts";
import { JUDGE_WINDOWS, splitText, type WindowedText } from "../domain/moderation/text-window.ts";
import type { Picture } from "../engines/picture.ts";
import type { PreparedContent } from "./content.ts";
import { coverageOf, type PlacedText } from "./language.ts";

// Runs one planned stage: each of its windows or pictures is one engine call. Together they become one result
// of the verdict and one item of the journal line.

export interface StageRun {
  readonly result: StageResult;
  readonly item: Item;
  /** What the calls showed about the Cloudflare account's own allocation. */
  readonly account: "exhausted" | "answered" | null;
  /** The strongest label of each group, for the reasons. */
  readonly labels: readonly { readonly category: LabelGroup; readonly label: string }[];
  /** The engine did not decode the picture because it is too large; the reasons say so. */
  readonly tooManyPixels: boolean;
  /** The writing in a picture. It is content and appears in no result. Null: unknown. */
  readonly quoted: Quoted | null;
}

/** Why a stage does not run. */
type Skip =
  | { readonly status: "not_required"; readonly failure: null }
  | { readonly status: "not_evaluated" | "failed" | "timed_out"; readonly failure: CheckFailure };

/** A stage without engine calls: it costs nothing. */
export function skipped(stage: CheckStage, engine: Engine, { status, failure }: Skip): StageRun {
  return stageRun(stage, engine, { calls: [], status, failure, latencyMs: 0 });
}

/**
 * @param checks one for each planned call, as a function of the model; fewer when there is less to check
 *   than was planned
 * @param complete false when the text continues beyond the last window
 */
export async function runStage(
  context: RunContext,
  stage: CheckStage,
  checks: readonly ((model: string) => Check)[],
  complete: boolean,
): Promise<StageRun> {
  const started = context.nowMs();
  const calls = await Promise.all(
    stage.calls.flatMap((call, at) => {
      const check = checks[at];
      return check === undefined ? [] : [finish(context, stage, call, check)];
    }),
  );
  const outcomes = calls.map(({ asked: { outcome } }) => outcome);
  const status = worst([
    ...outcomes.map(statusOf),
    ...(complete ? [] : ["not_evaluated" as const]),
  ]);
  // The first outcome with the worst status.
  const decisive = outcomes.find((outcome) => statusOf(outcome) === status);
  const failure = decisive === undefined ? TOO_LONG : withWait(failureOf(decisive), outcomes);
  return stageRun(stage, context.engine, {
    calls,
    status,
    failure,
    latencyMs: context.nowMs() - started,
  });
}

interface FinishedCall {
  readonly asked: ModelOutcome<CheckOutcome>;
  readonly charge: Charge;
  readonly pricedAs: string;
}

async function finish(
  context: RunContext,
  stage: CheckStage,
  planned: PlannedCall,
  check: (model: string) => Check,
): Promise<FinishedCall> {
  const asked = await askEngine(context, stage, check);
  const model = context.modelOf(asked.model);
  const end: CallEnd = asked.ran ? endOf(asked.outcome, context.engine) : { kind: "not_run" };
  return {
    asked,
    charge: chargeOf(end, planned, { stage: stage.name, model }),
    pricedAs: asked.model,
  };
}

/** An engine that simulates a model has no usage to report. */
function endOf(outcome: CheckOutcome, engine: Engine): CallEnd {
  switch (outcome.kind) {
    case "answered":
      return { ...outcome, simulated: engine.name === "embedded" };
    case "unsupported":
    case "refused":
      return { kind: "not_run" };
    case "timed_out":
      return { kind: "unknown", usage: null };
    case "failed":
      return isBrokenUpstream(outcome)
        ? { kind: "not_run" }
        : { kind: "unknown", usage: outcome.usage };
  }
}

/** Tenants do not pay for a server's own error without reported use. */
const isBrokenUpstream = ({ usage, status = 0 }: Extract<CheckOutcome, { kind: "failed" }>) =>
  usage === null && status >= 500;

function statusOf(outcome: CheckOutcome): CheckStatus {
  switch (outcome.kind) {
    case "answered":
      return isJudgement(outcome) ? "evaluated" : "not_evaluated";
    case "unsupported":
      return "not_evaluated";
    case "timed_out":
      return "timed_out";
    case "refused":
    case "failed":
      return "failed";
  }
}

const TOO_LONG: CheckFailure = { kind: "too_long" };

/** Null: it was evaluated. */
function failureOf(outcome: CheckOutcome): CheckFailure | null {
  switch (outcome.kind) {
    case "answered":
      return isJudgement(outcome) ? null : { kind: "no_judge" };
    case "unsupported":
      return { kind: outcome.because ?? "no_judge" };
    case "timed_out":
      return { kind: "timed_out" };
    case "refused":
      return { kind: refusalOf(outcome), ...withStatus(outcome) };
    case "failed":
      return {
        kind: outcome.malformed === true ? "malformed_answer" : "upstream_error",
        ...withStatus(outcome),
      };
  }
}

function refusalOf(refused: Extract<CheckOutcome, { kind: "refused" }>): CheckFailure["kind"] {
  if (refused.accountExhausted) return "account_exhausted";
  if (refused.because !== undefined) return refused.because;
  return refused.retryable ? "no_capacity" : "refused";
}

/** A repeat asks about every window again, so the longest wait counts. */
function withWait(
  failure: CheckFailure | null,
  outcomes: readonly CheckOutcome[],
): CheckFailure | null {
  if (failure?.kind !== "no_capacity") return failure;
  const waits = outcomes.flatMap((outcome) =>
    outcome.kind === "refused" ? (outcome.retryAfterMs ?? []) : [],
  );
  return waits.length === 0 ? failure : { ...failure, retry_after_ms: Math.max(...waits) };
}

const withStatus = ({ status }: { readonly status?: number }) =>
  status === undefined ? {} : { upstream_status: status };

type Answered = Extract<CheckOutcome, { kind: "answered" }>;

/** An answer that only measures a picture judges nothing. */
const isJudgement = ({ scores, labels }: Answered): boolean =>
  labels !== undefined || Object.keys(scores).length > 0;

const scoresIn = (answer: Answered): Scores =>
  answer.labels === undefined ? answer.scores : labelScores(answer.labels);

function stageRun(
  stage: CheckStage,
  engine: Engine,
  run: {
    readonly calls: readonly FinishedCall[];
    readonly status: CheckStatus;
    readonly failure: CheckFailure | null;
    readonly latencyMs: number;
  },
): StageRun {
  const answers = run.calls.flatMap(({ asked: { outcome } }) =>
    outcome.kind === "answered" ? [outcome] : [],
  );
  const ran = run.calls.filter(({ asked }) => asked.ran);
  const charges = ran.map(({ charge }) => charge);
  const microNeurons = sum(charges.map((charge) => charge.microNeurons));
  const basis = leastSure(charges.map((charge) => charge.basis));
  const lastRun = ran.at(-1);
  const instructions = answers.at(-1)?.instructions;
  const model = lastRun === undefined ? null : (answers.at(-1)?.model ?? lastRun.pricedAs);
  const { content, name, input, task } = stage;
  const item: Item = {
    content,
    stage: name,
    input,
    model,
    engine: lastRun === undefined ? null : engineOf(engine, ran),
    pricedAs: lastRun?.pricedAs ?? stage.model,
    task,
    calls: ran.length,
    units: sumUsage(charges.map((charge) => charge.units)),
    microNeurons,
    overrun: sum(charges.map((charge) => charge.overrun)),
    basis,
    failed: run.status === "failed" || run.status === "timed_out",
    ...(run.calls.length > 0 && { latencyMs: run.latencyMs }),
  };
  const result: StageResult = {
    name,
    input,
    model,
    priced_as: item.pricedAs,
    engine: engine.name,
    status: run.status,
    scores: maxima(answers.map(scoresIn)),
    latency_ms: run.latencyMs,
    micro_neurons: microNeurons,
    basis,
    measurements: measurementsIn(answers),
    ...(run.failure !== null && { failure: run.failure }),
    ...(instructions !== undefined && { instructions }),
  };
  return {
    result,
    item,
    account: accountOf(run.calls.map(({ asked: { outcome } }) => outcome)),
    tooManyPixels: run.calls.some(({ asked: { outcome } }) => isTooManyPixels(outcome)),
    quoted: answers.find(({ quoted }) => quoted !== undefined)?.quoted ?? null,
    labels: answers.flatMap(({ labels }) =>
      Object.entries(labels === undefined ? {} : topLabels(labels)).map(
        ([category, { name: label }]) => ({
          category: category as LabelGroup,
          label,
        }),
      ),
    ),
  };
}

function engineOf(engine: Engine, ran: readonly FinishedCall[]): string {
  const served = ran.map(({ asked }) => servedBy(asked.outcome));
  return served.every((one) => one !== null) ? (served.at(-1) ?? engine.name) : engine.name;
}

const servedBy = (outcome: CheckOutcome): ServedBy | null =>
  outcome.kind === "answered" || outcome.kind === "failed" ? (outcome.servedBy ?? null) : null;

const isTooManyPixels = (outcome: CheckOutcome): boolean =>
  outcome.kind === "unsupported" && outcome.because === "too_many_pixels";

const measurementsIn = (answers: readonly Answered[]): Measurements | null =>
  answers.find(({ measurements }) => measurements !== undefined)?.measurements ?? null;

function accountOf(outcomes: readonly CheckOutcome[]): StageRun["account"] {
  const exhausted = outcomes.some((o) => o.kind === "refused" && o.accountExhausted);
  if (exhausted) return "exhausted";
  // A cache answers also while the account has nothing left.
  return outcomes.some((o) => o.kind === "answered" && servedBy(o) === null) ? "answered" : null;
}

function maxima(all: readonly Scores[]): Scores {
  const most: Partial<Record<Category, number>> = {};
  for (const scores of all) {
    for (const [category, score] of Object.entries(scores) as [Category, number][]) {
      most[category] = Math.max(most[category] ?? 0, score);
    }
  }
  return most;
}

// Turns a planned stage into its engine calls. A check is not asked about a text in a language that it
// certainly does not read.

export interface Ready {
  /** The stage without fallbacks that cannot read the text. */
  readonly stage: CheckStage;
  readonly checks: readonly ((model: string) => Check)[];
  readonly complete: boolean;
}

export interface Has {
  readonly content: Pick<PreparedContent, "windows">;
  readonly pictures: readonly (Picture | null)[];
  /** Null: there is no text. */
  readonly placed: PlacedText | null;
  /** The text without the matches of allow terms; null when there are none. */
  readonly withoutAllowed: string | null;
}

/** The engine calls of a stage, or the reason why there are none. */
export function prepareStage(engine: Engine, stage: CheckStage, has: Has): Ready | Skip {
  if (engine.judges(stage.name, stage.model).length === 0 && stage.name !== "labels") {
    return { status: "not_evaluated", failure: { kind: "no_judge" } };
  }
  if (stage.name === "sentiment" || stage.name === "judge") {
    return prepareText(engine, stage, stage.name, has);
  }
  const picture = has.pictures[Number(stage.input.slice("images/".length))] ?? null;
  if (picture === null) return { status: "failed", failure: { kind: "picture_unavailable" } };
  const { name } = stage;
  return { stage, checks: [(model) => ({ name, model, picture })], complete: true };
}

function prepareText(
  engine: Engine,
  stage: CheckStage,
  name: "sentiment" | "judge",
  { content, placed, withoutAllowed }: Has,
): Ready | Skip {
  const windowed = windowsFor(engine, name, content, withoutAllowed);
  if (windowed === null || placed === null) {
    return { status: "not_evaluated", failure: { kind: "no_judge" } };
  }
  const reads = (model: string): boolean =>
    coverageOf(engine.languages(name, model), placed) !== "uncovered";
  if (!reads(stage.model)) return { status: "not_evaluated", failure: { kind: "language" } };
  return {
    stage: { ...stage, fallbacks: stage.fallbacks.filter(reads) },
    checks: windowed.windows.map((window) => (model) => ({
      name,
      model,
      text: window.text,
      language: placed.language,
    })),
    // Windows beyond the plan are not asked about, so they count as not read.
    complete: windowed.complete && windowed.windows.length <= stage.calls.length,
  };
}

/**
 * If our own small model is the judge, it reads the text without allowed places, as always; a language model
 * reads the text as it is.
 */
function windowsFor(
  engine: Engine,
  name: "sentiment" | "judge",
  { windows }: Pick<PreparedContent, "windows">,
  withoutAllowed: string | null,
): WindowedText | null {
  const isOwn = engine.name === "embedded" && name === "judge";
  if (isOwn && withoutAllowed !== null) return splitText(withoutAllowed, JUDGE_WINDOWS);
  return windows?.[name] ?? null;
}
