import { formatOf, type Question } from "../domain/documents/prompts.ts";
import type { TaskStage } from "../domain/documents/plan-analysis.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { Engine } from "../engines/engine.ts";
import type { ChatInference, Inferences } from "../engines/inference.ts";
import { askModels, type ModelOutcome } from "../engines/engine-call.ts";
import { type EndedCall, endOf, type GenerationOutcome } from "../generation/run-generation.ts";
import { askInTurn, type RunContext } from "../moderation/ask-engine.ts";

// One engine call of a task.

/** How long a caller will wait for one answer. */
const TIMEOUT_MS = 25_000;

export interface Asked<Kind extends GenerationKind> extends EndedCall {
  readonly asked: ModelOutcome<GenerationOutcome<Kind>>;
}

export interface TaskCall<Kind extends GenerationKind> {
  /** The first windows of every task begin first: when the time is up, each has read the same part. */
  readonly order: number;
  readonly inference: (model: string) => Inferences[Kind];
}

export async function askTask<Kind extends "chat" | "classification">(
  context: RunContext,
  { model, fallbacks }: Pick<TaskStage, "model" | "fallbacks">,
  kind: Kind,
  { order, inference }: TaskCall<Kind>,
): Promise<Asked<Kind>> {
  const { engine, hold } = context;
  const infer = engine.generators[kind];
  const asked = await askModels<GenerationOutcome<Kind>>([model, ...fallbacks], (id) =>
    askInTurn(context, { order, timeoutMs: TIMEOUT_MS }, async (options) =>
      infer === undefined ? { kind: "unsupported" } : infer(hold, inference(id), options),
    ),
  );
  return { asked, end: endOf(asked, engine) };
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
