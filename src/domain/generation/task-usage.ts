import type { Model, Usage } from "../catalogue/catalogue.ts";
import type { RequestFailure } from "../ledger/failure.ts";
import { chatInputBound, classifierInputBound, takesPictures } from "./token-bound.ts";
import { isTranslated } from "./translation-languages.ts";

// The small tasks: the measures of their requests, and the most that each uses. Each is one engine call, or
// several where a list is longer than one takes.

/**
 * Texts of a list in one engine call. Source: Workers AI's schemas, which name 100 for embeddings, the
 * longest list of any.
 */
const TEXTS_AT_ONCE = 100;

/** Splits texts, or their measures, over the engine calls of one call, in order. */
export const inCalls = <T>(texts: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(texts.length / TEXTS_AT_ONCE) }, (_, at) =>
    texts.slice(at * TEXTS_AT_ONCE, (at + 1) * TEXTS_AT_ONCE),
  );

/** The place in the list of the first text of an engine call. */
export const firstIn = (call: number): number => call * TEXTS_AT_ONCE;

export type TaskMeasure =
  /** Tokens of the text. */
  | { readonly kind: "classification"; readonly text: number }
  /** Tokens of each: the query is read again with every context. */
  | { readonly kind: "reranking"; readonly query: number; readonly contexts: readonly number[] }
  /** One picture. */
  | { readonly kind: "labels" }
  | { readonly kind: "objects" }
  | {
      readonly kind: "caption";
      /** Tokens of the question about the picture. */
      readonly text: number;
      readonly pictures: number;
      /** As the caller gave it; null: the tenant's `default_max_tokens`. */
      readonly maxTokens: number | null;
    }
  | {
      readonly kind: "translation";
      /** Tokens of each text. */
      readonly texts: readonly number[];
      /** The caller's names; each model has its own list. */
      readonly source: string;
      readonly target: string;
    };

const TASK_KINDS: readonly string[] = [
  "classification",
  "reranking",
  "labels",
  "objects",
  "caption",
  "translation",
] satisfies TaskMeasure["kind"][];

export const isTask = (measured: { readonly kind: string }): measured is TaskMeasure =>
  TASK_KINDS.includes(measured.kind);

type TaskRefusal = Extract<RequestFailure, { kind: "invalid_request" | "unbounded_usage" }>;

/** Why this model cannot take the request, though it is for such work; null: it can. */
export function taskRefusal(model: Model, measured: TaskMeasure): TaskRefusal | null {
  switch (measured.kind) {
    case "classification":
      return model.reranks ? wrongModel("must be a model that gives labels") : null;
    case "reranking":
      return model.reranks ? null : wrongModel("must be a model that ranks texts");
    case "caption":
      if (measured.pictures === 0 || takesPictures(model)) return null;
      return {
        kind: "unbounded_usage",
        detail: `Pictures sent to ${model.id} have no known bound.`,
      };
    case "translation":
      return translationRefusal(model, measured);
    case "labels":
    case "objects":
      return null;
  }
}

function translationRefusal(
  model: Model,
  { source, target }: Extract<TaskMeasure, { kind: "translation" }>,
): TaskRefusal | null {
  if (model.bounds.maxOutputTokens === null) {
    return { kind: "unbounded_usage", detail: `What ${model.id} writes has no known bound.` };
  }
  const detail = "must be a language that this model translates";
  const errors = [
    ...(isTranslated(model.id, "source", source) ? [] : [{ path: ["source_language"], detail }]),
    ...(isTranslated(model.id, "target", target) ? [] : [{ path: ["target_language"], detail }]),
  ];
  return errors.length === 0 ? null : { kind: "invalid_request", errors };
}

const wrongModel = (detail: string): TaskRefusal => ({
  kind: "invalid_request",
  errors: [{ path: ["model"], detail }],
});

/** The most that each engine call uses. */
export function taskUsages(model: Model, measured: TaskMeasure, maxTokens: number): Usage[] {
  const read = (tokens: number): number => classifierInputBound(model, tokens);
  switch (measured.kind) {
    case "classification":
      return [{ input_token: read(measured.text) }];
    case "reranking":
      return inCalls(measured.contexts).map((contexts) => ({
        input_token: sum(contexts.map((text) => read(measured.query + text))),
      }));
    case "labels":
    case "objects":
      return [{ image: 1 }];
    case "caption":
      return [
        {
          input_token: captionInput(model, measured, measured.text),
          output_token: maxTokens,
        },
      ];
    case "translation":
      return inCalls(measured.texts).map((texts) => ({
        input_token: sum(texts.map(read)),
        output_token: texts.length * (model.bounds.maxOutputTokens ?? 0),
      }));
  }
}

/** Input tokens of the model's template in one of the calls, beside what the caller sent. */
export function taskOwnTokens(model: Model, measured: TaskMeasure, at: number): number {
  const { specialTokens } = model.bounds;
  switch (measured.kind) {
    case "classification":
      return specialTokens;
    case "reranking":
      return specialTokens * (inCalls(measured.contexts)[at]?.length ?? 0);
    case "translation":
      return specialTokens * (inCalls(measured.texts)[at]?.length ?? 0);
    case "caption":
      return captionInput(model, measured, 0);
    case "labels":
    case "objects":
      return 0;
  }
}

const captionInput = (
  model: Model,
  { pictures }: { readonly pictures: number },
  textTokens: number,
): number => chatInputBound(model, { textTokens, messages: 1, images: pictures });

const sum = (counts: readonly number[]): number =>
  counts.reduce((total, count) => total + count, 0);
