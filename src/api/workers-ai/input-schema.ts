import * as v from "valibot";
import type { Model } from "../../domain/catalogue/catalogue.ts";
import type { ModelTask } from "../../domain/catalogue/model-task.ts";
import { type Json, jsonSchema } from "../../http/openapi-schema.ts";
import type { Schema } from "../../http/route.ts";
import { ChatInput } from "./chat.ts";
import { ImageInput } from "./images.ts";
import { descriptionInput, PictureInput } from "./pictures.ts";
import { speechInput, TranscriptionInput } from "./sound.ts";
import { ClassificationInput, EmbeddingsInput, RerankingInput, translationInput } from "./text.ts";

// What a model's body on Cloudflare's surface is, as JSON Schema: made from the schemas that read it.
// https://developers.cloudflare.com/api/resources/ai/subresources/models/subresources/schema/

const INPUTS: Readonly<Partial<Record<ModelTask, (model: Model) => Schema>>> = {
  text_generation: () => ChatInput,
  text_classification: ({ reranks }) => (reranks ? RerankingInput : ClassificationInput),
  text_embeddings: () => EmbeddingsInput,
  image_classification: () => PictureInput,
  object_detection: () => PictureInput,
  image_to_text: ({ id }) => descriptionInput(id),
  text_to_image: () => ImageInput,
  speech_to_text: () => TranscriptionInput,
  text_to_speech: ({ id }) => speechInput(id),
  translation: ({ id }) => translationInput(id),
};

export const ModelSchemaQuery = v.object({
  model: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(128),
    v.description("The model's name, e.g. `@cf/meta/llama-3.1-8b-instruct-fp8`."),
  ),
});

const JsonSchema = v.record(v.string(), v.unknown());

export const ModelSchemaOutput = v.object({
  success: v.literal(true),
  errors: v.pipe(v.array(v.never()), v.maxLength(0)),
  messages: v.pipe(v.array(v.never()), v.maxLength(0)),
  result: v.object({
    input: v.pipe(
      JsonSchema,
      v.description("The fields that are read here; an empty schema stands for bytes as numbers."),
    ),
    output: v.pipe(JsonSchema, v.description("Empty: replies are as Cloudflare documents them.")),
  }),
});

/** Null: models of that task are not run here. */
export function inputSchemaOf(model: Model): Readonly<Record<string, Json>> | null {
  const schema = INPUTS[model.task]?.(model);
  return schema === undefined ? null : jsonSchema(schema, "input");
}
