import * as v from "valibot";
import { firstIn, inCalls } from "../../domain/generation/task-usage.ts";
import { tokensAtMost } from "../../domain/generation/token-bound.ts";
import { isTranslated, speaksIndic } from "../../domain/generation/translation-languages.ts";
import type { Outputs } from "../../engines/inference.ts";
import type { Rank } from "../../engines/task-inference.ts";
import { LONG_LIST } from "../../generation/rendered-list.ts";
import { MAX_TEXTS as MAX_EMBEDDED, vectorBytes } from "../openai/embeddings.ts";
import { parseInputs, type Reading, type RunBody, wrong } from "./envelope.ts";
import { OF_EMBEDDINGS, unsetIn } from "./unset-options.ts";
import { object } from "../object-input.ts";

// The tasks of the Workers AI drop-in that take text and nothing else.

/** Contexts to rank, or texts to translate, in one call: ten calls of the engine. */
const MAX_TEXTS = 1000;

const text = v.pipe(v.string(), v.minLength(1));
const texts = v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_TEXTS));

const listed = (value: string | readonly string[]): readonly string[] =>
  typeof value === "string" ? [value] : value;

export const ClassificationInput = object({ text });

export function readClassification(body: RunBody): Reading<"classification"> {
  const parsed = parseInputs(ClassificationInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const { inputs } = parsed;
  return {
    kind: "task",
    measured: { kind: "classification", text: tokensAtMost(inputs.text) },
    inference: (model) => ({ model, text: inputs.text }),
    result: ({ labels }) => labels.map(({ name: label, score }) => ({ label, score })),
  };
}

export const RerankingInput = object({
  query: text,
  contexts: v.pipe(v.array(object({ text })), v.minLength(1), v.maxLength(MAX_TEXTS)),
  top_k: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
});

export function readReranking(body: RunBody): Reading<"reranking"> {
  const parsed = parseInputs(RerankingInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const { query, top_k } = parsed.inputs;
  const contexts = parsed.inputs.contexts.map((context) => context.text);
  const measured = { query: tokensAtMost(query), contexts: contexts.map(tokensAtMost) };
  return {
    kind: "task",
    measured: { kind: "reranking", ...measured },
    inference: (model, _stage, at) => {
      const part = inCalls(contexts)[at] ?? [];
      const topK = top_k === undefined ? null : Math.min(top_k, part.length);
      return { model, query, contexts: part, topK };
    },
    joined: (outputs) => ({ ranks: joinedRanks(outputs).slice(0, top_k) }),
    result: ({ ranks }) => ({
      response: ranks.map(({ context: id, score }) => ({ id, score })),
    }),
  };
}

/** Each pair is scored by itself, so the scores of several calls compare. The best first. */
const joinedRanks = (outputs: readonly Outputs["reranking"][]): readonly Rank[] =>
  outputs
    .flatMap(({ ranks }, at) =>
      ranks.map(({ context, score }) => ({ context: firstIn(at) + context, score })),
    )
    .toSorted((a, b) => b.score - a.score);

export const EmbeddingsInput = object({
  text: v.union([text, v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_EMBEDDED))]),
  pooling: v.optional(v.picklist(["mean", "cls"])),
});

export function readEmbeddings(body: RunBody, model: string): Reading<"embeddings"> {
  const parsed = parseInputs(EmbeddingsInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const unset = body.kind === "json" ? unsetIn(body.value, OF_EMBEDDINGS) : null;
  if (unset !== null) return unset;
  const { pooling } = parsed.inputs;
  const all = listed(parsed.inputs.text);
  const options = pooling === "cls" ? { pooling } : {};
  const listOf = ({ vectors }: Outputs["embeddings"], data: Outputs["embeddings"]["vectors"]) => ({
    shape: [vectors.length, vectors[0]?.length ?? 0],
    data,
    pooling: pooling ?? "mean",
  });
  return {
    kind: "task",
    measured: { kind: "embeddings", texts: all.map(tokensAtMost) },
    inference: (id, _stage, at) => ({ model: id, texts: inCalls(all)[at] ?? [], ...options }),
    joined: (outputs) => ({ vectors: outputs.flatMap(({ vectors }) => vectors) }),
    result: (output) => listOf(output, output.vectors),
    ...(all.length > LONG_LIST && {
      long: {
        roomBytes: vectorBytes(model, all.length),
        result: (output: Outputs["embeddings"]) => ({
          whole: listOf(output, []),
          name: "data",
          items: output.vectors,
        }),
      },
    }),
  };
}

const TranslationInput = object({
  text,
  source_lang: v.optional(v.pipe(v.string(), v.maxLength(16)), "en"),
  target_lang: v.pipe(v.string(), v.maxLength(16)),
});

const NOT_TRANSLATED = "must be a language that this model translates";

export function readTranslation(body: RunBody, model: string): Reading<"translation"> {
  if (speaksIndic(model)) return readIndicTranslation(body, model);
  const parsed = parseInputs(TranslationInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const { text: said, source_lang: source, target_lang: target } = parsed.inputs;
  if (!isTranslated(model, "source", source)) return wrong(["source_lang"], NOT_TRANSLATED);
  if (!isTranslated(model, "target", target)) return wrong(["target_lang"], NOT_TRANSLATED);
  return {
    kind: "task",
    measured: { kind: "translation", texts: [tokensAtMost(said)], source, target },
    inference: (id) => ({ model: id, texts: [said], source, target }),
    result: ({ translations: [translated_text] }) => ({ translated_text }),
  };
}

const IndicInput = object({
  text: v.union([text, texts]),
  target_language: v.pipe(v.string(), v.maxLength(16)),
});

export const translationInput = (model: string) =>
  speaksIndic(model) ? IndicInput : TranslationInput;

function readIndicTranslation(body: RunBody, model: string): Reading<"translation"> {
  const parsed = parseInputs(IndicInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const { target_language: target } = parsed.inputs;
  if (!isTranslated(model, "target", target)) return wrong(["target_language"], NOT_TRANSLATED);
  const all = listed(parsed.inputs.text);
  return {
    kind: "task",
    measured: { kind: "translation", texts: all.map(tokensAtMost), source: "en", target },
    inference: (id, _stage, at) => ({
      model: id,
      texts: inCalls(all)[at] ?? [],
      source: "en",
      target,
    }),
    joined: (outputs) => ({
      translations: outputs.flatMap(({ translations }) => translations),
    }),
    result: ({ translations }) => ({ translations }),
  };
}
