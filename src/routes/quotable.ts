import type * as v from "valibot";
import type { BodySpec, Route, Schema } from "../http/route.ts";
import { VerdictInput } from "../api/native/content.ts";
import { ChatInput } from "../api/openai/chat.ts";
import { QuotedEmbeddingsInput } from "../api/openai/embeddings.ts";
import { SpeechInput } from "../api/openai/speech.ts";
import { ModerationInput } from "../api/openai/moderation.ts";
import { ResponseInput } from "../api/responses/body.ts";
import type { GenerationRouteCall } from "../edge/generation-deps.ts";
import { createSpeech, measureSpeech } from "./audio.ts";
import { TranslationInput } from "../api/native/translation.ts";
import type { MeasuredCall, Misread } from "./measured-call.ts";
import { measureChatCall, createChatCompletion } from "./chat.ts";
import { createEmbeddings, measureEmbeddings } from "./embeddings.ts";
import { createModeration, measureModerations } from "./moderations.ts";
import { createResponse, measureResponse } from "./responses.ts";
import { createTranslation, measureTranslation } from "./translations.ts";
import { createVerdict, measureVerdict } from "./verdicts.ts";

// The routes that have a quote of their cost. Each gives what it measures of a body once, for
// its own handler and for a quote: a new governed route joins with a line.

export interface Quotable {
  readonly path: string;
  readonly schema: Schema;
  readonly body: BodySpec;
  /**
   * @param body parsed by `schema`
   * @param by the quote itself, whose headers count as the call's would
   */
  readonly ask: (body: unknown, by: GenerationRouteCall) => Measured | Promise<Measured>;
}

export type Measured = MeasuredCall | Misread | Exclude<ResponseMeasure, { kind: "generation" }>;
type ResponseMeasure = Awaited<ReturnType<typeof measureResponse>>;

function quotable<S extends Schema>(
  { path, body }: Route,
  schema: S,
  ask: (body: v.InferOutput<S>, by: GenerationRouteCall) => Measured | Promise<Measured>,
): Quotable {
  if (body === undefined) throw new Error("a route without a body cannot be quoted");
  return { path, schema, body, ask };
}

type Measure = Omit<Extract<MeasuredCall, { kind: "generation" }>, "kind">;

const generation =
  <Body>(measure: (body: Body) => Measure) =>
  (body: Body): MeasuredCall => ({ kind: "generation", ...measure(body) });

const QUOTABLE: readonly Quotable[] = [
  quotable(createVerdict, VerdictInput, measureVerdict),
  quotable(createModeration, ModerationInput, measureModerations),
  quotable(createEmbeddings, QuotedEmbeddingsInput, generation(measureEmbeddings)),
  quotable(createSpeech, SpeechInput, generation(measureSpeech)),
  quotable(createTranslation, TranslationInput, generation(measureTranslation)),
  quotable(createChatCompletion, ChatInput, measureChatCall),
  quotable(createResponse, ResponseInput, measureResponse),
];

export const quotableAt = (path: string): Quotable | null =>
  QUOTABLE.find((one) => one.path === path) ?? null;

export const QUOTABLE_PATHS: readonly string[] = QUOTABLE.map(({ path }) => path);
