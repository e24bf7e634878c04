import type { Model } from "../domain/catalogue/catalogue.ts";
import {
  type CallEnd,
  type Charge,
  leastSure,
  type PlannedCall,
  sumUsage,
} from "../domain/moderation/stage.ts";
import type { EngineFailure, Rejection, RequestFailure } from "../domain/ledger/failure.ts";
import { generationCharge } from "../domain/generation/generation-charge.ts";
import type { Hold, Item } from "../domain/ledger/ledger.ts";
import { sum } from "../domain/ledger/micro-neurons.ts";
import type { GenerationKind, GenerationStage } from "../domain/generation/plan-generation.ts";
import type { Counted } from "../domain/generation/sound-usage.ts";
import { type ModelOutcome, askModels } from "../engines/engine-call.ts";
import type { PlannedStage } from "../domain/moderation/stage.ts";
import type { Engine, EngineName, ServedBy, Unanswered } from "../engines/engine.ts";
import type { Answered, Inferences } from "../engines/inference.ts";
import { createGate } from "../io/gate.ts";
import { countedUsage } from "./counted-usage.ts";
import { writtenText } from "./written-text.ts";

// Runs the generation's stage: its engine calls, one for each requested answer, become one item of the
// journal line.

/** The data of one admitted generation. */
export interface GenerationContext {
  readonly engine: Engine;
  readonly hold: Hold;
  readonly stage: GenerationStage;
  /** The catalogue's model with the platform's price, for the models of planned stages. */
  readonly modelOf: (id: string) => Model;
  readonly signal: AbortSignal;
  /** Calls of the engine that run at once; absent: as many as its kind may. */
  readonly atOnce?: number | undefined;
  /** When its engine was called; absent: it was not. */
  readonly startedMs?: number;
}

/** Until the first byte of a streamed answer, or until the whole of another one. */
export const TIMEOUT_MS = 55_000;

export interface GenerationRun<Kind extends GenerationKind> {
  readonly item: Item;
  /** What the calls showed about the Cloudflare account's own allocation. */
  readonly account: "exhausted" | "answered" | null;
  /** One answer for each planned call (for pictures: at least one), or the failure. */
  readonly result:
    | {
        readonly kind: "answered";
        readonly answers: readonly Answered<Kind>[];
        /** The index of the planned call for each answer. */
        readonly at: readonly number[];
      }
    | GenerationRunFailure;
}

export type GenerationRunFailure =
  | EngineFailure
  | Extract<RequestFailure, { kind: "unsupported_parameter" }>
  /** 3036 or 4006: the refusal shows the tenant's own balance. */
  | { readonly kind: "account_exhausted" };

export type GenerationOutcome<Kind extends GenerationKind> = Answered<Kind> | Unanswered;

/** Calls that run at once. A reply with a hundred vectors of 1,024 numbers is 2 MB. */
const AT_ONCE: { readonly [Kind in GenerationKind]?: number } = { embeddings: 4 };

export async function runGeneration<Kind extends GenerationKind>(
  context: GenerationContext,
  kind: Kind,
  inference: (model: string, at: number) => Inferences[Kind],
): Promise<GenerationRun<Kind>> {
  const { engine, hold, stage, signal, atOnce = AT_ONCE[kind] ?? Infinity } = context;
  const gate = createGate(atOnce);
  const infer = engine.generators[kind];
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const startedMs = Date.now();
  const calls = await Promise.all(
    stage.calls.map((_, at) =>
      askModels<GenerationOutcome<Kind>>([stage.model, ...stage.fallbacks], (model) =>
        gate.run({}, async () => {
          if (signal.aborted) return null;
          if (infer === undefined) return { kind: "unsupported" };
          return infer(hold, inference(model, at), options);
        }),
      ),
    ),
  );
  const ends = calls.map((one, at) => {
    const end = endOf(one, engine);
    if (one.outcome.kind !== "answered") return { asked: one, end };
    const input = inference(one.model, at);
    const counted = countedUsage(context.modelOf(one.model), input, one.outcome.output);
    return { asked: one, end: { ...end, counted } };
  });
  return {
    item: itemOf({ ...context, startedMs }, kind, ends),
    account: engine.name === "workers-ai" ? accountOf(calls) : null,
    result: resultOf({ kind, engine: engine.name }, calls),
  };
}

/** How a call ended, for its charge. */
export type GenerationEnd = CallEnd & {
  readonly outputText?: string | null;
  readonly counted?: Counted | null;
};

/** An engine call of the stage, and how it ended. */
export interface EndedCall {
  readonly asked: Pick<ModelOutcome<{ readonly kind: string }>, "model" | "ran"> & {
    readonly outcome: {
      readonly kind: string;
      readonly model?: string;
      readonly servedBy?: ServedBy;
    };
  };
  readonly end: GenerationEnd;
}

export function endOf<Kind extends GenerationKind>(
  { outcome, ran }: ModelOutcome<GenerationOutcome<Kind>>,
  engine: Engine,
): GenerationEnd {
  if (!ran) return { kind: "not_run" };
  if (outcome.kind === "answered") {
    const { usage } = outcome;
    const outputText = writtenText(outcome.output);
    return { kind: "answered", usage, simulated: engine.name === "embedded", outputText };
  }
  return { kind: "unknown", usage: outcome.kind === "failed" ? outcome.usage : null };
}

/** The journal line's item: the sum of the stage's engine calls. */
export function itemOf(
  {
    engine,
    stage,
    modelOf,
    startedMs,
  }: Pick<GenerationContext, "engine" | "modelOf" | "startedMs"> & { readonly stage: PlannedStage },
  kind: GenerationKind,
  calls: readonly EndedCall[],
): Item {
  const charges = calls.flatMap(({ asked, end }, at): Charge[] => {
    const planned: PlannedCall | undefined = stage.calls[at];
    if (planned === undefined || !asked.ran) return [];
    return [generationCharge(end, planned, { kind, model: modelOf(asked.model) })];
  });
  const ran = calls.filter(({ asked }) => asked.ran);
  const last = ran.at(-1)?.asked;
  const isCached = ran.every(({ asked }) => asked.outcome.servedBy !== undefined);
  return {
    content: stage.content,
    stage: stage.name,
    input: stage.input,
    model: last === undefined ? null : (last.outcome.model ?? last.model),
    engine: last === undefined ? null : isCached ? (last.outcome.servedBy ?? null) : engine.name,
    pricedAs: last?.model ?? stage.model,
    task: stage.task,
    calls: charges.length,
    units: sumUsage(charges.map((charge) => charge.units)),
    microNeurons: sum(charges.map((charge) => charge.microNeurons)),
    overrun: sum(charges.map((charge) => charge.overrun)),
    basis: leastSure(charges.map((charge) => charge.basis)),
    failed: calls.some(({ end }) => end.kind !== "answered"),
    ...(startedMs !== undefined && { latencyMs: Math.max(0, Date.now() - startedMs) }),
  };
}

export function accountOf(
  calls: readonly {
    readonly outcome: { readonly kind: string; readonly servedBy?: ServedBy };
  }[],
): "exhausted" | "answered" | null {
  if (calls.some(({ outcome }) => isExhausted(outcome))) return "exhausted";
  const answers: readonly string[] = ["answered", "streaming"];
  // A cache answers also while the account has nothing left.
  return calls.some(
    ({ outcome }) => answers.includes(outcome.kind) && outcome.servedBy === undefined,
  )
    ? "answered"
    : null;
}

type Account = GenerationRun<GenerationKind>["account"];

/** Joins the news of several parts of a call. */
export function closureNews(...news: readonly Account[]): Account {
  if (news.includes("exhausted")) return "exhausted";
  return news.includes("answered") ? "answered" : null;
}

const isExhausted = (outcome: { readonly kind: string }): boolean =>
  outcome.kind === "refused" &&
  (outcome as Extract<Unanswered, { kind: "refused" }>).accountExhausted;

function resultOf<Kind extends GenerationKind>(
  by: EngineCaller,
  calls: readonly ModelOutcome<GenerationOutcome<Kind>>[],
): GenerationRun<Kind>["result"] {
  const answered = calls.flatMap(({ outcome }, at) =>
    outcome.kind === "answered" ? [{ outcome, at }] : [],
  );
  // Each picture is complete and paid for by itself: the pictures that were made are returned.
  const enough = by.kind === "picture" ? Math.min(1, calls.length) : calls.length;
  if (answered.length < enough) return failureOf(by, calls);
  const answers = answered.map(({ outcome }) => outcome);
  return { kind: "answered", answers, at: answered.map(({ at }) => at) };
}

/** @returns the failure of a call that did not get all its answers: the worst one */
export function failureOf(
  by: EngineCaller,
  calls: readonly Pick<ModelOutcome<{ readonly kind: string }>, "ran" | "outcome">[],
): GenerationRunFailure {
  const charged = calls.some(({ ran }) => ran);
  const kinds = calls.map(({ outcome }) => outcome.kind);
  if (calls.some(({ outcome }) => isExhausted(outcome))) return { kind: "account_exhausted" };
  if (kinds.includes("unsupported")) return unsupported(by, calls);
  const upstream = calls.map(({ outcome }) => rejectionOf(outcome)).find((one) => one !== null);
  if (upstream !== undefined) return { kind: "upstream_rejected", upstream, charged };
  if (kinds.includes("failed")) return { kind: "engine_failed", charged };
  if (kinds.includes("timed_out")) return { kind: "engine_timeout", charged };
  const busy = calls.flatMap(({ outcome }) => (isBusy(outcome) ? [outcome] : []));
  if (busy.length === 0) {
    return { kind: "engine_failed", charged, ...(kinds.includes("refused") && { refused: true }) };
  }
  // A repeat makes all the calls again, so the longest wait counts.
  const waits = busy.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  return {
    kind: "engine_busy",
    charged,
    ...(waits.length > 0 && { retryAfterMs: Math.max(...waits) }),
  };
}

const rejectionOf = (outcome: { readonly kind: string }): Rejection | null =>
  outcome.kind === "refused" || outcome.kind === "failed"
    ? ((outcome as Extract<Unanswered, { kind: "refused" | "failed" }>).rejection ?? null)
    : null;

type Refused = Extract<Unanswered, { kind: "refused" }>;

const isBusy = (outcome: { readonly kind: string }): outcome is Refused =>
  outcome.kind === "refused" && (outcome as Refused).retryable;

/** The engine, and the kind of its call. */
export interface EngineCaller {
  readonly kind: GenerationKind;
  readonly engine: EngineName;
}

function unsupported(
  { kind, engine }: EngineCaller,
  calls: readonly { readonly outcome: { readonly kind: string } }[],
): GenerationRunFailure {
  const outcomes = calls
    .map(({ outcome }) => outcome as Extract<Unanswered, { kind: "unsupported" }>)
    .filter((outcome) => outcome.kind === "unsupported");
  const { parameter, detail } =
    outcomes.find((one) => one.parameter !== undefined) ?? outcomes[0] ?? {};
  // A user who tries the gateway without a model must not mistake the demo's limits for the gateway's.
  const hint = engine === "embedded" ? ` ${OTHER_ENGINES}` : "";
  const unable = engine === "embedded" ? `The local stand-in cannot ${DOES[kind]}.` : UNABLE;
  if (parameter === undefined) {
    return { kind: "engine_unsupported", detail: `${detail ?? unable}${hint}` };
  }
  const why = detail ?? "the engine of this deployment does not support it with that model.";
  return { kind: "unsupported_parameter", parameter, detail: `${parameter}: ${why}${hint}` };
}

const UNABLE = "The engine of this deployment does not support this with that model.";
const OTHER_ENGINES = "Set INFERENCE=workers-ai or INFERENCE=openai for an engine that can.";

const DOES: Readonly<Record<GenerationKind, string>> = {
  chat: "chat in this way",
  embeddings: "embed for that model, or in this way",
  classification: "classify for that model",
  reranking: "rank for that model",
  labels: "label pictures",
  objects: "find objects in pictures",
  caption: "describe pictures",
  translation: "translate",
  picture: "make such a picture",
  transcription: "transcribe",
  speech: "speak in this way",
};
