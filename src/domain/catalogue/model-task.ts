// What kind of work a model does, and so which of the published rates it is counted under.

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

/** `other` is what no route of ours calls: turn detection, decision models. */
export type ModelTask = (typeof MODEL_TASKS)[number];
