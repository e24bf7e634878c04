import {
  JUDGED_CATEGORIES,
  LABEL_GROUPS,
  type Category,
} from "../../domain/moderation/category.ts";
import { labelScores } from "../../domain/moderation/image-labels.ts";
import { type Reply, readLabels } from "../engine-call.ts";
import type { Check, CheckOptions, CheckOutcome, Engine } from "../engine.ts";
import {
  llmChat,
  type Chat,
  canJudge,
  languagesOf,
  seesPictures,
  speaksChat,
} from "../language-models.ts";
import { rawBody, runModel } from "./call.ts";
import { streamChat } from "./chat.ts";
import { workersAiGenerators } from "./generators.ts";

// The `AI` binding: its checks. What it generates is in generators.ts.

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const RESNET = "@cf/microsoft/resnet-50";

/** One model call: what to send, and what its reply means. */
interface Call {
  readonly inputs: unknown;
  outcome(reply: Reply): CheckOutcome;
}

export function createWorkersAiEngine(ai: Ai): Engine {
  return {
    name: "workers-ai",
    languages,
    judges,
    async run(_hold, check, options: CheckOptions): Promise<CheckOutcome> {
      if (judges(check.name, check.model).length === 0) return { kind: "unsupported" };
      const call = callFor(check);
      return call.outcome(await runModel(ai, check.model, call.inputs, options));
    },
    generators: workersAiGenerators(ai),
    streamChat: streamChat(ai),
  };
}

function languages(name: Check["name"], model: string): readonly string[] | null {
  if (name === "labels" || name === "vision") return null;
  return languagesOf(model);
}

const JUDGES: Readonly<Record<Check["name"], (model: string) => readonly Category[]>> = {
  sentiment: (model) => (model === DISTILBERT ? ["negativity"] : []),
  judge: (model) => (canJudge(model) ? JUDGED_CATEGORIES : []),
  labels: (model) => (model === RESNET ? LABEL_GROUPS : []),
  vision: (model) => (seesPictures(model) ? ["nsfw"] : []),
};

function judges(name: Check["name"], model: string): readonly Category[] {
  return JUDGES[name](model);
}

function callFor(check: Check): Call {
  const { model } = check;
  if (check.name === "sentiment") {
    return {
      inputs: { text: check.text },
      outcome: (reply) => sentimentOutcome(model, reply),
    };
  }
  if (check.name === "labels") {
    return {
      inputs: { image: rawBody(check.picture) },
      outcome: (reply) => labelsOutcome(model, reply),
    };
  }
  const chat = llmChat(check);
  return {
    inputs: chatInputs(model, chat),
    outcome: (reply) => chat.outcome(model, reply),
  };
}

function chatInputs(model: string, { messages, schema, maxTokens }: Chat): unknown {
  const inputs = { messages, temperature: 0, max_tokens: maxTokens };
  if (!speaksChat(model)) {
    return { ...inputs, response_format: { type: "json_schema", json_schema: schema } };
  }
  const json_schema = { name: "verdict", strict: true, schema };
  return {
    ...inputs,
    response_format: { type: "json_schema", json_schema },
    // Reasoning would use up `max_tokens` before the answer begins.
    chat_template_kwargs: { enable_thinking: false },
  };
}

function sentimentOutcome(model: string, reply: Reply): CheckOutcome {
  if (reply.kind !== "replied") return reply;
  const negative = readLabels(reply.value)?.filter(({ name }) => name.toUpperCase() === "NEGATIVE");
  const [label, ...others] = negative ?? [];
  if (label === undefined || others.length > 0)
    return { kind: "failed", usage: null, malformed: true };
  return { kind: "answered", model, scores: { negativity: label.score }, usage: null };
}

function labelsOutcome(model: string, reply: Reply): CheckOutcome {
  if (reply.kind !== "replied") return reply;
  const labels = readLabels(reply.value);
  if (labels === null) return { kind: "failed", usage: null, malformed: true };
  return { kind: "answered", model, scores: labelScores(labels), labels, usage: null };
}
