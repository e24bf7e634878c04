import type { Model } from "../domain/catalogue/catalogue.ts";
import { formatOf, type Question } from "../domain/documents/prompts.ts";
import type { TaskStage } from "../domain/documents/plan-analysis.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import type { Engine } from "../engines/engine.ts";
import type { Answered, ChatInference, Inferences } from "../engines/inference.ts";
import { askModels, type ModelOutcome } from "../engines/engine-call.ts";
import type { EndedCall, GenerationEnd } from "../generation/run-generation.ts";
import type { Unanswered } from "../engines/engine.ts";
import { writtenText } from "../generation/written-text.ts";
import type { Gate } from "../io/gate.ts";

// One engine call of a task.

/** What the tasks of one admitted call share. */
export interface AnalysisContext {
  readonly engine: Engine;
  readonly hold: Hold;
  readonly modelOf: (id: string) => Model;
  readonly nowMs: () => number;
  /** After this time no engine is called, and those that run are given up. */
  readonly deadlineMs: number;
  readonly gate: Gate;
}

/** How long a caller will wait for one answer. */
const TIMEOUT_MS = 25_000;

type Outcome<Kind extends GenerationKind> = Answered<Kind> | Unanswered;

export interface Asked<Kind extends GenerationKind> extends EndedCall {
  readonly asked: ModelOutcome<Outcome<Kind>>;
}

export interface TaskCall<Kind extends GenerationKind> {
  /** Calls of a lower order begin first: the first windows of every task. */
  readonly order: number;
  readonly inference: (model: string) => Inferences[Kind];
}

export async function askTask<Kind extends "chat" | "classification">(
  { engine, hold, nowMs, deadlineMs, gate }: AnalysisContext,
  { model, fallbacks }: Pick<TaskStage, "model" | "fallbacks">,
  kind: Kind,
  { order, inference }: TaskCall<Kind>,
): Promise<Asked<Kind>> {
  const infer = engine.generators[kind];
  const asked = await askModels<Outcome<Kind>>([model, ...fallbacks], (id) =>
    gate.run({ order }, async () => {
      const leftMs = deadlineMs - nowMs();
      if (leftMs <= 0) return null;
      if (infer === undefined) return { kind: "unsupported" };
      return infer(hold, inference(id), { timeoutMs: Math.min(TIMEOUT_MS, leftMs) });
    }),
  );
  return { asked, end: endOf(asked, engine) };
}

function endOf<Kind extends GenerationKind>(
  { outcome, ran }: ModelOutcome<Outcome<Kind>>,
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

/** No tools are offered: what a text asks for cannot call one. */
export const chatOf = (model: string, question: Question, engine: Engine): ChatInference => ({
  model,
  messages: question.messages,
  maxTokens: question.maxTokens,
  parameters: {
    temperature: 0,
    response_format: formatOf(question),
    // A model that reasons would spend its tokens on that.
    ...(engine.name === "workers-ai" && { reasoning_effort: "none" }),
  },
});

/** The answer's text; null: there is none, or the model called a tool instead. */
export function contentOf({ asked: { outcome } }: Asked<"chat">): string | null {
  if (outcome.kind !== "answered" || outcome.output.toolCalls.length > 0) return null;
  return outcome.output.content;
}

/** Why there is no answer, as a word of the API; null: there is one. */
export function failureOf({ asked: { outcome, ran } }: Asked<GenerationKind>): string | null {
  switch (outcome.kind) {
    case "answered":
      return null;
    case "unsupported":
      return "engine_unsupported";
    case "timed_out":
      return ran ? "engine_timeout" : "time_up";
    case "failed":
      return "engine_failed";
    case "refused":
      if (outcome.accountExhausted) return "account_exhausted";
      return outcome.retryable ? "engine_busy" : "engine_refused";
  }
}
