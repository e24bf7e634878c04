// Right bodies for generation, where the schemas do not say enough: the models of each path, the inputs
// of each model, and bodies that are not JSON. `bodies.mjs` breaks them.
import { pngPicture } from "../test/e2e/tiny-picture.mjs";
import { wav } from "../test/e2e/tiny-recording.mjs";
import { fitting, MARK, written } from "./bodies.mjs";

/** @typedef {import("../faults/random.mjs").Random} Random */

const CHAT = "@cf/meta/llama-3.1-8b-instruct-fp8";
const EMBEDDINGS = "@cf/baai/bge-base-en-v1.5";
const PICTURES = "@cf/black-forest-labs/flux-1-schnell";
const SPEECH = "@cf/deepgram/aura-1";
const TRANSCRIPTION = "@cf/openai/whisper";
const SPEECH_TRANSLATION = "@cf/openai/whisper-large-v3-turbo";
const TRANSLATION = "@cf/meta/m2m100-1.2b";

const messages = [{ role: "user", content: MARK.text }];

/** Fields that are refused, or that name something, are left out: null means absent. */
const RESPONSE = {
  input: MARK.text,
  previous_response_id: null,
  background: null,
  conversation: null,
  context_management: null,
  prompt: null,
  messages: null,
  response_format: null,
  max_tokens: null,
  max_completion_tokens: null,
  reasoning_effort: null,
  functions: null,
  function_call: null,
  n: null,
  stop: null,
  seed: null,
  logit_bias: null,
  presence_penalty: null,
  frequency_penalty: null,
  top_logprobs: null,
  include: null,
  truncation: null,
  text: null,
  tools: null,
  tool_choice: null,
};

/** A text in place of a file. Undefined means absent. */
const DOCUMENT = {
  content: MARK.text,
  content_type: "text/plain",
  file: undefined,
  id: undefined,
  language: "en",
  categories: undefined,
};

const RUN = {
  documents: [{ type: "email", content: MARK.text }],
  steps: ["moderate", "summarize", "store"],
  policy: undefined,
  model: undefined,
};

/** What a moderator decided, as a client of the Perspective API sends it. */
export const SUGGESTION = {
  comment: { text: MARK.text },
  attributeScores: { TOXICITY: { summaryScore: { value: 0.9 } } },
};

/** `[the end of a path, a model that runs there, its fields]` */
const RIGHT = [
  ["/chat/completions", CHAT, { messages }],
  ["/completions", CHAT, { prompt: MARK.text }],
  ["/responses", CHAT, RESPONSE],
  ["/embeddings", EMBEDDINGS, {}],
  ["/images/generations", PICTURES, { size: "1024x1024", quality: "low" }],
  ["/v1/images", PICTURES, { width: 1024, height: 1024, steps: 1 }],
  ["/audio/speech", SPEECH, { voice: "luna", response_format: "wav", speed: 1 }],
  ["/audio/transcriptions", TRANSCRIPTION, {}],
  ["/audio/translations", SPEECH_TRANSLATION, {}],
  ["/translations", TRANSLATION, { source_language: "en", target_language: "de" }],
  ["/v1/sessions", CHAT, {}],
  ["/sessions/{id}/messages", CHAT, { messages }],
  ["/v1/documents", CHAT, DOCUMENT],
  ["/documents/search", null, { query: MARK.text, filter: undefined }],
  ["/documents/answer", CHAT, { query: MARK.text, filter: undefined }],
  ["/comments:suggestscore", null, SUGGESTION],
  ["/pipelines/runs", null, RUN],
  ["/verdicts/batches", null, { items: [{ text: MARK.text }] }],
  ["/webhooks", null, { url: "https://hooks.acme.dev/", enabled: true }],
  ["/webhooks/{id}", null, { url: "https://hooks.acme.dev/", enabled: true }],
  ["/webhooks/{id}/replay", null, { from: "2026-11-20T00:00:00Z", to: null, only: "failed" }],
];

const QUOTED = [
  ["/v1/chat/completions", { model: CHAT, messages, max_tokens: 9 }],
  ["/v1/responses", { model: CHAT, input: MARK.text, max_output_tokens: 16 }],
  ["/v1/embeddings", { model: EMBEDDINGS, input: MARK.text }],
  ["/v1/verdicts", { text: MARK.text }],
];

const picture = () => [...Buffer.from(pngPicture(MARK.text), "base64")];

/** `[model, its own inputs]` */
const RUNS = [
  [CHAT, () => ({ prompt: MARK.text, max_tokens: 9 })],
  [CHAT, () => ({ messages, stream: true, max_tokens: 9 })],
  ["@cf/huggingface/distilbert-sst-2-int8", () => ({ text: MARK.text })],
  ["@cf/baai/bge-reranker-base", () => ({ query: MARK.text, contexts: [{ text: MARK.text }] })],
  [EMBEDDINGS, () => ({ text: [MARK.text] })],
  ["@cf/microsoft/resnet-50", () => ({ image: picture() })],
  ["@cf/microsoft/resnet-50", () => Buffer.from(picture())],
  [PICTURES, () => ({ prompt: MARK.text, steps: 2 })],
  [TRANSLATION, () => ({ text: MARK.text, target_lang: "de" })],
  [SPEECH, () => ({ text: MARK.text })],
  [TRANSCRIPTION, () => wav(100, MARK.text)],
];

export const PICTURE_REQUEST = { model: PICTURES, prompt: MARK.text, steps: 1 };

const isRun = (/** @type {string} */ path) => path.endsWith("/ai/run/{model}");

/**
 * A body that fits an operation, and its path: a model's own inputs need that model in the path.
 *
 * @returns {{ path: string, right: unknown }} bytes, or a value of JSON
 */
export function drawRight(/** @type {Random} */ random, { path, schema }) {
  if (isRun(path) && random.chance(0.9)) {
    const [model, inputs] = random.pick(RUNS);
    const named = random.chance(0.5) ? model : encodeURIComponent(model);
    return { path: path.replace("{model}", named), right: inputs() };
  }
  const right = fitting(random, schema);
  if (path === "/v1/quote" && random.chance(0.7)) {
    const [quoted, body] = random.pick(QUOTED);
    return { path, right: { path: quoted, body } };
  }
  const [, model, fields] = RIGHT.find(([end]) => path.endsWith(end)) ?? [];
  if (model !== undefined && random.chance(0.7)) {
    Object.assign(right, fields, model !== null && { model });
  }
  return { path, right };
}

const BOUNDARY = "qzvboundaryqzv";

/** The fields of a value as a form. A field that is `binary` in the schema is a file. */
export function formOf(/** @type {Record<string, unknown>} */ fields, schema) {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    const binary = schema.properties[name]?.format === "binary";
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`;
    const content = binary
      ? wav(100, MARK.text)
      : Buffer.from(typeof value === "string" ? value : written(value));
    const file = binary ? `; filename="${MARK.value}.wav"\r\nContent-Type: audio/wav` : "";
    return [Buffer.from(`${head}${file}\r\n\r\n`), content, Buffer.from("\r\n")];
  });
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]),
    headers: { "content-type": `multipart/form-data; boundary=${BOUNDARY}` },
  };
}
