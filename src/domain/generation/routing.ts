import type { AnswerLength, Complexity, PromptFeatures, RoutingTask } from "./prompt-features.ts";

// Which model answers a call that names `auto`: a table of the tenant's policy, read from the top. The
// first rule that applies and has a model which may run decides. The last rule has no conditions, so it
// takes every other call.

/** Not the name of a model: the table decides. An alias of that name takes precedence. */
export const AUTO = "auto";

export interface RoutingRule {
  /** The conditions; null: any value. */
  readonly task: RoutingTask | null;
  readonly complexity: Complexity | null;
  readonly length: AnswerLength | null;
  /** Catalogue ids in the order of choice: the first that may run for this tenant. */
  readonly models: readonly string[];
}

export interface Routing {
  readonly rules: readonly RoutingRule[];
}

/** Why `auto` became that model. */
export interface Routed extends PromptFeatures {
  readonly model: string;
  /** The place of the rule in the table. */
  readonly rule: number;
  readonly policy: { readonly name: string; readonly version: number };
}

const rule = (models: readonly string[], when: Partial<PromptFeatures> = {}): RoutingRule => ({
  task: when.task ?? null,
  complexity: when.complexity ?? null,
  length: when.length ?? null,
  models,
});

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const GLM_FLASH = "@cf/zai-org/glm-4.7-flash";
const GPT_OSS_20B = "@cf/openai/gpt-oss-20b";
const GPT_OSS_120B = "@cf/openai/gpt-oss-120b";
const GRANITE = "@cf/ibm-granite/granite-4.0-h-micro";
const LLAMA_8B = "@cf/meta/llama-3.1-8b-instruct-fp8";
const MISTRAL = "@cf/mistralai/mistral-small-3.1-24b-instruct";
const QWEN_CODER = "@cf/qwen/qwen2.5-coder-32b-instruct";

/**
 * The table of a policy that has none: large models for hard work, special models for a kind of work
 * where there are some, else the cheapest that is not tiny. The choice is by published size, purpose and
 * price; the quality of answers was not measured. For long answers the price of output decides (gemma-4).
 */
export const DEFAULT_ROUTING: Routing = {
  rules: [
    rule([GPT_OSS_120B, QWEN_CODER], { task: "code", complexity: "high" }),
    rule([GPT_OSS_20B, QWEN_CODER, GPT_OSS_120B], { task: "code", complexity: "medium" }),
    rule([GLM_FLASH, GPT_OSS_20B, QWEN_CODER], { task: "code" }),
    rule([GPT_OSS_120B, MISTRAL], { task: "analysis", complexity: "high" }),
    rule([GEMMA, GPT_OSS_20B], { task: "analysis", length: "long" }),
    rule([GPT_OSS_20B, GEMMA], { task: "analysis", complexity: "medium" }),
    rule([GLM_FLASH, GEMMA], { task: "analysis" }),
    rule([MISTRAL, GEMMA], { task: "creative", complexity: "high" }),
    rule([GEMMA, MISTRAL], { task: "creative" }),
    rule([GRANITE, GLM_FLASH], { task: "conversation", complexity: "low", length: "short" }),
    rule([GEMMA, GPT_OSS_120B, MISTRAL], { complexity: "high" }),
    rule([GEMMA, LLAMA_8B, GLM_FLASH, GRANITE, MISTRAL, GPT_OSS_20B, GPT_OSS_120B]),
  ],
};

/** @param runs whether the model may run for this tenant and can take this request */
export function pickModel(
  { rules }: Routing,
  features: PromptFeatures,
  runs: (model: string) => boolean,
): { readonly model: string; readonly rule: number } | null {
  for (const [at, one] of rules.entries()) {
    if (!holds(one, features)) continue;
    const model = one.models.find(runs);
    if (model !== undefined) return { model, rule: at };
  }
  return null;
}

const holds = ({ task, complexity, length }: RoutingRule, features: PromptFeatures): boolean =>
  (task === null || task === features.task) &&
  (complexity === null || complexity === features.complexity) &&
  (length === null || length === features.length);
