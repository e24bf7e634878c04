// The kind of work that a model does, which decides the published rate that it counts under.

export const MODEL_TASKS = [
  "text_generation",
  "text_classification",
  "text_embeddings",
  "image_classification",
  "object_detection",
  "image_to_text",
  "text_to_image",
  "speech_to_text",
  "text_to_speech",
  "translation",
  "summarization",
  "other",
] as const;

/** `other`: models that no route here calls, for turn detection and decisions. */
export type ModelTask = (typeof MODEL_TASKS)[number];
