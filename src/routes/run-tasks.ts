import { CATALOGUE, type Model } from "../domain/catalogue/catalogue.ts";
import type { ModelTask } from "../domain/catalogue/model-task.ts";
import { readTranscription } from "../api/workers-ai/sound.ts";
import { readDescription, readDetection, readLabelling } from "../api/workers-ai/pictures.ts";
import {
  readClassification,
  readEmbeddings,
  readReranking,
  readTranslation,
} from "../api/workers-ai/text.ts";
import type { RunBody } from "../api/workers-ai/envelope.ts";
import { MAX_BODY_BYTES } from "../edge/generation-deps.ts";
import { chatTask } from "./run-chat.ts";
import { imageTask } from "./run-images.ts";
import { speechTask } from "./run-speech.ts";
import { jsonTask, type RunTask } from "./run-task.ts";

// Which task a model is asked with. What is not here has no priced model, or no bound.

const reranking = jsonTask("reranking", readReranking);
const classification = jsonTask("classification", readClassification);
const embeddings = jsonTask("embeddings", readEmbeddings);
const labels = jsonTask("labels", readLabelling);
const objects = jsonTask("objects", readDetection);
const caption = jsonTask("caption", readDescription);
const transcription = jsonTask("transcription", readTranscription);
const translation = jsonTask("translation", readTranslation);

const TASKS: Readonly<Partial<Record<ModelTask, (model: Model) => RunTask>>> = {
  text_generation: () => chatTask,
  text_classification: ({ reranks }) => (reranks ? reranking : classification),
  text_embeddings: () => embeddings,
  image_classification: () => labels,
  object_detection: () => objects,
  image_to_text: () => caption,
  text_to_image: () => imageTask,
  speech_to_text: () => transcription,
  text_to_speech: () => speechTask,
  translation: () => translation,
};

/**
 * Pictures also come in base64, which is parsed. Text is as long as on every other route, and so is what
 * is left of a recording's body when its bytes were taken out.
 */
const JSON_LIMITS: Readonly<Partial<Record<ModelTask, number>>> = {
  image_classification: 10 * 1024 * 1024,
  object_detection: 10 * 1024 * 1024,
  image_to_text: 10 * 1024 * 1024,
  text_to_image: 10 * 1024 * 1024,
};

export function jsonLimitOf(name: string): number {
  const task = CATALOGUE.get(name)?.task;
  return (task === undefined ? undefined : JSON_LIMITS[task]) ?? MAX_BODY_BYTES;
}

/**
 * By the catalogue's task of the name, whatever it is an alias of. Which other names a tenant has is
 * known to its object alone, and what is asked must be measured before that is asked: so a name that
 * the catalogue does not have is a language model's if it is asked like one, and else nobody's.
 */
export function runTaskOf(name: string, body: RunBody): RunTask | null {
  const model = CATALOGUE.get(name);
  if (model !== undefined) return TASKS[model.task]?.(model) ?? null;
  return isPrompt(body) ? chatTask : null;
}

const isPrompt = (body: RunBody): boolean =>
  body.kind === "json" &&
  typeof body.value === "object" &&
  body.value !== null &&
  ("prompt" in body.value || "messages" in body.value);
