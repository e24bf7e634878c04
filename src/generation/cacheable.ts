import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { ChatInference, Inferences } from "../engines/inference.ts";

// Which answers may be cached. A kind without a rule here is never cached.

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

/** The temperature of a request without one: OpenAI's default. */
const DEFAULT_TEMPERATURE = 1;

/** Tools act on a world that changes, and a picture at a URL may change too. */
function chatIsCacheable({ messages, parameters }: ChatInference, maxTemperature: number): boolean {
  const { tools, temperature = DEFAULT_TEMPERATURE } = parameters;
  if (tools !== undefined || typeof temperature !== "number") return false;
  const acted = messages.some(
    ({ role, tool_calls }) => role === "tool" || tool_calls !== undefined,
  );
  return !acted && temperature <= maxTemperature;
}
