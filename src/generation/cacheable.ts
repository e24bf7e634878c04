import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { ChatInference, Inferences } from "../engines/inference.ts";

// Which answers may be given again. A kind that is not named here is never cached.

type Rule<Kind extends GenerationKind> = (
  inference: Inferences[Kind],
  maxTemperature: number,
) => boolean;

const always = (): boolean => true;

const RULES: { readonly [Kind in GenerationKind]?: Rule<Kind> } = {
  chat: chatIsCacheable,
  embeddings: always,
  classification: always,
  reranking: always,
  translation: always,
};

export const isCacheable = <Kind extends GenerationKind>(
  kind: Kind,
  inference: Inferences[Kind],
  maxTemperature: number,
): boolean => RULES[kind]?.(inference, maxTemperature) ?? false;

/** What a model writes where nothing is said of it: OpenAI's default. */
const DEFAULT_TEMPERATURE = 1;

/** Tools act on a world that changes, and pictures that were named by URL may change too. */
function chatIsCacheable({ messages, parameters }: ChatInference, maxTemperature: number): boolean {
  const { tools, temperature = DEFAULT_TEMPERATURE } = parameters;
  if (tools !== undefined || typeof temperature !== "number") return false;
  const acted = messages.some(
    ({ role, tool_calls }) => role === "tool" || tool_calls !== undefined,
  );
  return !acted && temperature <= maxTemperature;
}
