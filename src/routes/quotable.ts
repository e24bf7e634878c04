import type * as v from "valibot";
import type { Route, Schema } from "../http/route.ts";
import { VerdictInput } from "../api/native/content.ts";
import { ChatInput } from "../api/openai/chat.ts";
import { EmbeddingsInput } from "../api/openai/embeddings.ts";
import { SpeechInput } from "../api/openai/speech.ts";
import { ModerationInput } from "../api/openai/moderation.ts";
import { createSpeech, speechAsked } from "./audio.ts";
import { TranslationInput } from "../api/native/translation.ts";
import type { Asked, AskedBy, Misread } from "./asked.ts";
import { chatAsked, createChatCompletion } from "./chat.ts";
import { createEmbeddings, embeddingsAsked } from "./embeddings.ts";
import { createModeration, moderationsAsked } from "./moderations.ts";
import { createTranslation, translationAsked } from "./translations.ts";
import { createVerdict, verdictAsked } from "./verdicts.ts";

// The routes whose cost can be asked for beforehand. Each gives what it measures of a body once, for
// its own handler and for a quote: a new governed route joins with a line.

export interface Quotable {
  readonly path: string;
  readonly schema: Schema;
  readonly limitBytes: number;
  /**
   * @param body parsed by `schema`
   * @param request the quote's own, whose headers count as the call's would
   */
  readonly ask: (body: unknown, by: AskedBy) => Asked | Misread;
}

function quotable<S extends Schema>(
  { path, body }: Route,
  schema: S,
  ask: (body: v.InferOutput<S>, by: AskedBy) => Asked | Misread,
): Quotable {
  if (body === undefined) throw new Error("a route without a body cannot be quoted");
  return { path, schema, limitBytes: body.limitBytes, ask };
}

type Measure = Omit<Extract<Asked, { kind: "generation" }>, "kind">;

const generation =
  <Body>(measure: (body: Body) => Measure) =>
  (body: Body): Asked => ({ kind: "generation", ...measure(body) });

const QUOTABLE: readonly Quotable[] = [
  quotable(createVerdict, VerdictInput, verdictAsked),
  quotable(createModeration, ModerationInput, moderationsAsked),
  quotable(createEmbeddings, EmbeddingsInput, generation(embeddingsAsked)),
  quotable(createSpeech, SpeechInput, generation(speechAsked)),
  quotable(createTranslation, TranslationInput, generation(translationAsked)),
  quotable(createChatCompletion, ChatInput, chatAsked),
];

export const quotableAt = (path: string): Quotable | null =>
  QUOTABLE.find((one) => one.path === path) ?? null;

export const QUOTABLE_PATHS: readonly string[] = QUOTABLE.map(({ path }) => path);
