import { type Model, pictureUsage, type Usage } from "../catalogue/catalogue.ts";
import type { RequestFailure } from "../ledger/failure.ts";
import { type MicroNeurons, plus, ZERO } from "../ledger/micro-neurons.ts";
import type { ModelTask } from "../catalogue/model-task.ts";
import { type PictureFailure, type PictureMeasure, pictureTerms } from "./picture-terms.ts";
import type { PromptFeatures } from "./prompt-features.ts";
import type { Routed } from "./routing.ts";
import {
  type FindModel,
  type ModelFailure,
  planCalls,
  type PlannedStage,
} from "../moderation/stage.ts";
import { isSound, soundRefusal, soundUsage, type SoundMeasure } from "./sound-usage.ts";
import {
  inCalls,
  isTask,
  taskOwnTokens,
  taskRefusal,
  taskUsages,
  type TaskMeasure,
} from "./task-usage.ts";
import {
  type ChatMeasure,
  chatInputBound,
  classifierInputBound,
  estimateInputTokens,
  takesPictures,
} from "./token-bound.ts";

// Plans a generation and prices it at its upper bound before anything runs: one stage of one engine call,
// or of several where the caller wants several answers.

/**
 * The router's measures of a request, by the kind of generation: sizes and counts, never content. Tokens
 * are upper bounds (`tokensAtMost`).
 */
export type Measured =
  | {
      readonly kind: "chat";
      readonly chat: ChatMeasure;
      /** The prompts after the first, where the call has several. */
      readonly others?: readonly ChatMeasure[];
      /** As the caller gave it; null: the tenant's `default_max_tokens`. */
      readonly maxTokens: number | null;
      /** Answers to each prompt. Each is an engine call of its own that reads the whole prompt. */
      readonly choices: number;
      /** The kind of work that the prompt asks for, for a call that names `auto`. */
      readonly features?: PromptFeatures;
      /** `textTokens` of the prompt with fewer blanks, where those can be taken out. */
      readonly compacted?: {
        readonly textTokens: number;
        /** The same of each of `others`. */
        readonly others?: readonly number[];
        /** True: the caller asks for it; else the tenant's settings decide. */
        readonly asked: boolean;
      };
    }
  /** Tokens of each text. */
  | { readonly kind: "embeddings"; readonly texts: readonly number[] }
  | { readonly kind: "picture"; readonly picture: PictureMeasure }
  | TaskMeasure
  | SoundMeasure;

export type GenerationKind = Measured["kind"];

export type ChatMeasured = Extract<Measured, { kind: "chat" }>;

export const promptsOf = ({ chat, others = [] }: ChatMeasured): readonly ChatMeasure[] => [
  chat,
  ...others,
];

/** All answers of the call: those to the first prompt, then those to the next one. */
export const answersOf = (measured: ChatMeasured): number =>
  promptsOf(measured).length * measured.choices;

/** The place of the prompt that an engine call is about. */
export const promptOfCall = (at: number, { choices }: Pick<ChatMeasured, "choices">): number =>
  Math.floor(at / choices);

/** The work that a model must be for. */
const TASKS: Readonly<Record<GenerationKind, ModelTask>> = {
  chat: "text_generation",
  embeddings: "text_embeddings",
  classification: "text_classification",
  reranking: "text_classification",
  labels: "image_classification",
  objects: "object_detection",
  caption: "image_to_text",
  translation: "translation",
  picture: "text_to_image",
  transcription: "speech_to_text",
  speech: "text_to_speech",
};

export interface GenerationStage extends PlannedStage {
  readonly name: "generate";
  readonly input: "request";
  /** The limit sent with each engine call; null where nothing is generated token by token. */
  readonly maxTokens: number | null;
  /** Whether that limit was lowered so that the call fits. */
  readonly clamped: boolean;
  /** Why `auto` became this model; absent where the caller named it. */
  readonly routed?: Routed;
  /** The prompt is sent with fewer blanks: its bound is lower by so many tokens. */
  readonly compactedTokens?: number;
}

export const isGeneration = (stage: PlannedStage): stage is GenerationStage =>
  stage.name === "generate";

/** A model that may not run for the tenant, or that is for other work. */
export type UnfitModel =
  | Exclude<ReturnType<FindModel>, { kind: "found" }>
  | Extract<RequestFailure, { kind: "invalid_request" }>;

export type GenerationFailure = ModelFailure | PictureFailure | UnfitModel;

export interface GenerationTerms {
  readonly find: FindModel;
  readonly defaultMaxTokens: number;
  /** The amount that is available, where the caller wants its answer cut to fit; null: no limit. */
  readonly fitTo: MicroNeurons | null;
  /** Other costs of the call that grow with its answer, such as the guard that reads it. */
  readonly besides?: (maxTokens: number) => MicroNeurons;
}

/**
 * @param ids the model of the call, then its fallbacks for a refusal before it ran. A fallback that
 *   cannot run or bound the request is skipped
 */
export function planGeneration(
  measured: Measured,
  [id, ...fallbackIds]: readonly [string, ...string[]],
  { find, defaultMaxTokens, fitTo, besides = () => ZERO }: GenerationTerms,
): { readonly kind: "planned"; readonly stage: GenerationStage } | GenerationFailure {
  const primary = usable(id, measured, find);
  if (primary.kind !== "found") return primary;
  const fallbacks = fallbackIds.flatMap((fallback) => {
    const found = usable(fallback, measured, find);
    return found.kind === "found" ? [found.model] : [];
  });
  const models: [Model, ...Model[]] = [primary.model, ...fallbacks];
  const stageOf = (maxTokens: number | null, clamped = false): GenerationStage => ({
    content: 0,
    name: "generate",
    input: "request",
    model: primary.model.id,
    fallbacks: fallbacks.map((model) => model.id),
    maxTokens,
    clamped,
    ...planCalls(models, {
      usages: (model) => usagesOf(model, measured, maxTokens ?? 0),
      ownTokens: (model, at) => ownTokens(model, measured, at),
    }),
  });
  if (!("maxTokens" in measured)) return { kind: "planned", stage: stageOf(null) };
  const wanted = measured.maxTokens ?? defaultMaxTokens;
  const boundOf = (tokens: number) => plus(stageOf(tokens).bound, besides(tokens));
  const most = fitTo === null ? wanted : fittingTokens(wanted, fitTo, boundOf);
  // If not even one token fits, the refusal is about the request as it was sent.
  const clamped = most > 0 && most < wanted;
  return { kind: "planned", stage: stageOf(clamped ? most : wanted, clamped) };
}

/** The most tokens that a model can write: never more than its context window. */
export const outputTokensAtMost = (
  { contextTokens }: Pick<Model, "contextTokens">,
  maxTokens: number,
): number => Math.min(maxTokens, contextTokens ?? maxTokens);

/** The most output tokens, at most `wanted`, whose bound is within `available`; 0: not even one. */
export function fittingTokens(
  wanted: number,
  available: MicroNeurons,
  boundOf: (maxTokens: number) => MicroNeurons,
): number {
  if (boundOf(wanted) <= available) return wanted;
  let fits = 0;
  let exceeds = wanted;
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    if (boundOf(middle) <= available) fits = middle;
    else exceeds = middle;
  }
  return fits;
}

type Found = { readonly kind: "found"; readonly model: Model };

/** A model that may run for the tenant and is for this task. */
export function findFor(id: string, task: ModelTask, find: FindModel): Found | UnfitModel {
  const found = find(id);
  if (found.kind !== "found" || found.model.task === task) return found;
  const detail = `must be a model for ${task}`;
  return { kind: "invalid_request", errors: [{ path: ["model"], detail }] };
}

function usable(id: string, measured: Measured, find: FindModel): Found | GenerationFailure {
  const found = findFor(id, TASKS[measured.kind], find);
  if (found.kind !== "found") return found;
  const { model } = found;
  if (isChat(measured) && promptsOf(measured).some(hasPictures) && !takesPictures(model)) {
    return { kind: "unbounded_usage", detail: `Pictures sent to ${id} have no known bound.` };
  }
  if (measured.kind === "picture") {
    const terms = pictureTerms(model, measured.picture);
    if (terms.kind !== "terms") return terms;
  }
  if (isSound(measured)) return soundRefusal(model, measured) ?? found;
  return (isTask(measured) ? taskRefusal(model, measured) : null) ?? found;
}

const isChat = (measured: Measured): measured is ChatMeasured => measured.kind === "chat";
const hasPictures = ({ images }: ChatMeasure): boolean => images > 0;

/** Whether a model may run for the tenant, is for such work, and the request likely fits its context. */
export function canTake(
  id: string,
  measured: ChatMeasured,
  { find, defaultMaxTokens }: Pick<GenerationTerms, "find" | "defaultMaxTokens">,
): boolean {
  const found = usable(id, measured, find);
  if (found.kind !== "found") return false;
  const { contextTokens } = found.model;
  const longest = Math.max(...promptsOf(measured).map(({ textTokens }) => textTokens));
  const likely = estimateInputTokens(longest);
  return (
    contextTokens === null || likely + (measured.maxTokens ?? defaultMaxTokens) <= contextTokens
  );
}

/** The most that each engine call uses. */
function usagesOf(model: Model, measured: Measured, maxTokens: number): Usage[] {
  if (isTask(measured)) return taskUsages(model, measured, maxTokens);
  if (isSound(measured)) return [soundUsage(model, measured)];
  switch (measured.kind) {
    case "chat":
      return promptsOf(measured).flatMap((prompt) => {
        const usage = {
          input_token: chatInputBound(model, prompt),
          output_token: outputTokensAtMost(model, maxTokens),
        };
        return Array.from({ length: measured.choices }, () => usage);
      });
    case "embeddings": {
      const tokens = measured.texts.map((text) => classifierInputBound(model, text));
      return inCalls(tokens).map((call) => ({
        input_token: call.reduce((total, count) => total + count, 0),
      }));
    }
    case "picture":
      return pictureUsages(model, measured.picture);
  }
}

/** A picture uses exactly what was requested: its bound is its price. */
function pictureUsages(model: Model, measure: PictureMeasure): Usage[] {
  const terms = pictureTerms(model, measure);
  // `usable` has refused every other model.
  if (terms.kind !== "terms") throw new RangeError(`${model.id} cannot make these pictures`);
  const { size, steps } = terms;
  const usage = pictureUsage(model, { pictures: 1, size, steps, inputs: measure.inputs });
  return Array.from({ length: measure.pictures }, () => usage);
}

/** Input tokens from us or from the model's template, beside what the caller sent. */
function ownTokens(model: Model, measured: Measured, at: number): number {
  if (isTask(measured)) return taskOwnTokens(model, measured, at);
  if (isSound(measured)) return 0;
  switch (measured.kind) {
    case "chat": {
      const prompt = promptsOf(measured)[promptOfCall(at, measured)] ?? measured.chat;
      return chatInputBound(model, { ...prompt, textTokens: 0 });
    }
    case "embeddings":
      return model.bounds.specialTokens * (inCalls(measured.texts)[at]?.length ?? 0);
    case "picture":
      return 0;
  }
}
