import { languageCode, speaksIndic } from "../../domain/generation/translation-languages.ts";
import type { Usage } from "../../domain/catalogue/catalogue.ts";
import { field, readLabel, readLabels } from "../engine-call.ts";
import type { Answered, Generate, Generators, Outputs } from "../inference.ts";
import type { GenerationKind } from "../../domain/generation/plan-generation.ts";
import type { CaptionInference, CaptionOutput, Rank, SeenObject } from "../task-inference.ts";
import { rawBody, runModel } from "./call.ts";

// The small tasks by the `AI` binding, in the inputs and outputs that each model's schema gives.
// Source: @cloudflare/workers-types and the models' pages.

export const workersAiTasks = (ai: Ai): Generators => ({
  classification: classification(ai),
  reranking: reranking(ai),
  labels: labels(ai),
  objects: objects(ai),
  caption: caption(ai),
  translation: translation(ai),
});

/** An unusable answer may have been charged: `failed`, with the usage where the engine reports it. */
const answered = <Kind extends GenerationKind>(
  model: string,
  output: Outputs[Kind] | null,
  usage: Usage | null = null,
): Answered<Kind> | { readonly kind: "failed"; readonly usage: Usage | null } =>
  output === null ? { kind: "failed", usage } : { kind: "answered", model, output, usage };

const classification =
  (ai: Ai): Generate<"classification"> =>
  async (_hold, { model, text }, options) => {
    const reply = await runModel(ai, model, { text }, options);
    if (reply.kind !== "replied") return reply;
    const read = readLabels(reply.value);
    return answered(model, read === null ? null : { labels: read });
  };

const reranking =
  (ai: Ai): Generate<"reranking"> =>
  async (_hold, { model, query, contexts, topK }, options) => {
    const inputs = {
      query,
      contexts: contexts.map((text) => ({ text })),
      ...(topK !== null && { top_k: topK }),
    };
    const reply = await runModel(ai, model, inputs, options);
    if (reply.kind !== "replied") return reply;
    const ranks = readRanks(field(reply.value, "response"), contexts.length);
    return answered(model, ranks === null ? null : { ranks });
  };

/** Each context at most once; scores are logits or shares, by the model's version. */
function readRanks(value: unknown, contexts: number): Rank[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > contexts) return null;
  const ranks: Rank[] = [];
  for (const item of value) {
    const context = field(item, "id");
    const score = field(item, "score");
    if (typeof context !== "number" || !Number.isInteger(context)) return null;
    if (context < 0 || context >= contexts) return null;
    if (ranks.some((rank) => rank.context === context)) return null;
    if (typeof score !== "number" || !Number.isFinite(score)) return null;
    ranks.push({ context, score });
  }
  return ranks;
}

const labels =
  (ai: Ai): Generate<"labels"> =>
  async (_hold, { model, picture }, options) => {
    const reply = await runModel(ai, model, { image: rawBody(picture) }, options);
    if (reply.kind !== "replied") return reply;
    const read = readLabels(reply.value);
    return answered(model, read === null ? null : { labels: read });
  };

const objects =
  (ai: Ai): Generate<"objects"> =>
  async (_hold, { model, picture }, options) => {
    const reply = await runModel(ai, model, { image: rawBody(picture) }, options);
    if (reply.kind !== "replied") return reply;
    const read = readObjects(reply.value);
    return answered(model, read === null ? null : { objects: read });
  };

/** DETR has 100 queries, so no more objects than that. */
const MAX_OBJECTS = 100;
const SIDES = ["xmin", "ymin", "xmax", "ymax"] as const;

/** An empty list is an answer too. */
function readObjects(value: unknown): SeenObject[] | null {
  if (!Array.isArray(value) || value.length > MAX_OBJECTS) return null;
  const seen: SeenObject[] = [];
  for (const item of value) {
    const label = readLabel(item);
    const sides = SIDES.map((side) => field(field(item, "box"), side));
    if (label === null || !sides.every((side) => Number.isFinite(side))) return null;
    const [xmin = 0, ymin = 0, xmax = 0, ymax = 0] = sides.map(Number);
    seen.push({ ...label, box: { xmin, ymin, xmax, ymax } });
  }
  return seen;
}

const MOONDREAM = /^@cf\/moondream\//;

const caption =
  (ai: Ai): Generate<"caption"> =>
  async (_hold, inference, options) => {
    const { model } = inference;
    const moondream = MOONDREAM.test(model);
    const inputs = moondream ? moondreamInputs(inference) : llavaInputs(inference);
    if (inputs === null) return { kind: "unsupported" };
    const reply = await runModel(ai, model, inputs, options);
    if (reply.kind !== "replied") return reply;
    return moondream
      ? answered(model, moondreamOutput(reply.value), moondreamUsage(reply.value))
      : answered(model, captionIn(field(reply.value, "description"), null, {}));
  };

/** The most that its schema takes. */
const MOONDREAM_MAX_TOKENS = 2048;

/** No source says that its reasoning counts towards `max_tokens`, so it has no bound: it is off. */
function moondreamInputs({ picture, question, maxTokens, parameters }: CaptionInference): object {
  return {
    ...parameters,
    ...(question === null ? { task: "caption" } : { task: "query", question }),
    ...(picture !== null && {
      image:
        picture instanceof URL
          ? picture.href
          : `data:image/${picture.format};base64,${picture.bytes.toBase64()}`,
    }),
    max_tokens: Math.min(maxTokens, MOONDREAM_MAX_TOKENS),
    reasoning: false,
    stream: false,
  };
}

/** The picture is the body; the other inputs go into the query. */
function llavaInputs({
  picture,
  question,
  maxTokens,
  parameters,
}: CaptionInference): object | null {
  if (picture === null || picture instanceof URL) return null;
  const prompt = question === null ? {} : { prompt: question };
  return { ...parameters, ...prompt, max_tokens: maxTokens, image: rawBody(picture) };
}

function moondreamOutput(value: unknown): CaptionOutput | null {
  const reason = field(value, "finish_reason");
  const text = field(value, "answer") ?? field(value, "caption");
  const metrics = METRICS.flatMap((name) => {
    const count = field(field(value, "metrics"), name);
    return typeof count === "number" ? [[name, count] as const] : [];
  });
  const finish = typeof reason === "string" ? reason.slice(0, MAX_REASON_CHARS) : null;
  return captionIn(text, finish, Object.fromEntries(metrics));
}

const METRICS = ["input_tokens", "output_tokens", "prefill_time_ms", "decode_time_ms", "ttft_ms"];

const MAX_REASON_CHARS = 32;

const captionIn = (
  text: unknown,
  finish: string | null,
  metrics: CaptionOutput["metrics"],
): CaptionOutput | null => (typeof text === "string" ? { text, finish, metrics } : null);

function moondreamUsage(value: unknown): Usage | null {
  const metrics = field(value, "metrics");
  const input_token = Number(field(metrics, "input_tokens"));
  const output_token = Number(field(metrics, "output_tokens"));
  const counted = [input_token, output_token].every((n) => Number.isSafeInteger(n) && n >= 0);
  return counted ? { input_token, output_token } : null;
}

const translation =
  (ai: Ai): Generate<"translation"> =>
  async (_hold, { model, texts, source, target }, options) => {
    const from = languageCode(model, "source", source);
    const to = languageCode(model, "target", target);
    const [text, ...others] = texts;
    if (from === null || to === null || text === undefined) return { kind: "unsupported" };
    if (speaksIndic(model)) {
      const reply = await runModel(ai, model, { text: texts, target_language: to }, options);
      if (reply.kind !== "replied") return reply;
      const translations = field(reply.value, "translations");
      return answered(model, areTexts(translations, texts.length) ? { translations } : null);
    }
    if (others.length > 0) return { kind: "unsupported" };
    const inputs = { text, source_lang: from, target_lang: to };
    const reply = await runModel(ai, model, inputs, options);
    if (reply.kind !== "replied") return reply;
    const translations = [field(reply.value, "translated_text")];
    return answered(model, areTexts(translations, 1) ? { translations } : null);
  };

const areTexts = (value: unknown, count: number): value is string[] =>
  Array.isArray(value) && value.length === count && value.every((text) => typeof text === "string");
