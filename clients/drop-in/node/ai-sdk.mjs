// Vercel's AI SDK with each of its providers for such services: `node ai-sdk.mjs PROVIDER`.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  embedMany,
  experimental_generateSpeech as generateSpeech,
  experimental_transcribe as transcribe,
  generateImage,
  generateText,
  Output,
  RetryError,
  stepCountIs,
  streamText,
  tool,
} from "ai";
import { createWorkersAI } from "workers-ai-provider";
import { accountOf, drive, keyOf, models } from "./drive.mjs";
import { City, featuresOf, Weather, writingWeather } from "./features.mjs";

// Warnings about models that the SDK does not know are not of interest here.
globalThis.AI_SDK_LOG_WARNINGS = false;

const { env } = process;
const baseURL = env.OPENAI_BASE_URL;

/** workers-ai-provider has its service's address in its code: its `fetch` is where it is changed. */
const toGateway = (url, options) =>
  fetch(
    String(url).replace("https://api.cloudflare.com/client/v4", env.CLOUDFLARE_BASE_URL),
    options,
  );

const openAi = (isSpent) => createOpenAI({ baseURL, apiKey: keyOf(isSpent) });

/** The provider for OpenAI, for the models that both of its kinds of chat share. */
const OPENAI = {
  packages: ["ai", "@ai-sdk/openai"],
  embedding: () => openAi().embedding(models.embedding),
  image: () => openAi().image(models.image),
  speech: () => openAi().speech(models.speech),
  transcription: () => openAi().transcription(models.transcription),
};

/** The parts of each provider, without those that it does not have. */
const PROVIDERS = {
  chat: { ...OPENAI, chat: (model, isSpent) => openAi(isSpent).chat(model) },
  responses: { ...OPENAI, chat: (model, isSpent) => openAi(isSpent).responses(model) },
  compatible: {
    packages: ["ai", "@ai-sdk/openai-compatible"],
    chat: (model, isSpent) => compatible(isSpent).chatModel(model),
    embedding: () => compatible().embeddingModel(models.embedding),
    image: () => compatible().imageModel(models.image),
    // This provider alone passes on fields that it does not know.
    withFields: (fields) => ({ providerOptions: { neurogate: fields } }),
  },
  "workers-ai": {
    packages: ["ai", "workers-ai-provider"],
    service: "cloudflare",
    chat: (model, isSpent) => workersAi(isSpent)(model),
    embedding: () => workersAi().textEmbedding(models.embedding),
    image: () => workersAi().image(models.image),
    speech: () => workersAi().speech("@cf/deepgram/aura-2-en"),
    transcription: () => workersAi().transcription(models.transcription),
  },
};

function compatible(isSpent) {
  return createOpenAICompatible({
    name: "neurogate",
    baseURL,
    apiKey: keyOf(isSpent),
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
}

function workersAi(isSpent) {
  const { account, token } = accountOf(isSpent);
  return createWorkersAI({ accountId: account, apiKey: token, fetch: toGateway });
}

const { packages, service, chat, embedding, image, speech, transcription, withFields } =
  PROVIDERS[process.argv[2]];
const model = chat(models.chat);

const shownOf = ({ text, finishReason, usage }) => ({
  text,
  finish: finishReason.replace("-", "_"),
  usage: usage && [usage.inputTokens, usage.outputTokens],
  reasoning: usage?.outputTokenDetails?.reasoningTokens ?? usage?.reasoningTokens,
});

async function ask(prompt, { model: name = models.chat, isSpent = false, ...more } = {}) {
  // Of its own it tries twice again, after two and four seconds.
  const asking = { model: chat(name, isSpent), prompt, maxRetries: 1, ...more };
  return shownOf(await generateText(asking));
}

async function stream(prompt) {
  let failed = null;
  const result = streamText({ model, prompt, onError: ({ error }) => (failed = error) });
  let text = "";
  for await (const part of result.textStream) text += part;
  if (failed !== null) throw failed;
  const finishReason = await result.finishReason;
  if (finishReason === "error") throw new Error("the stream ended too early");
  return shownOf({ text, finishReason, usage: await result.usage });
}

/** The SDK tries again by itself what may be tried again, and says so in an error of its own. */
function statusOf(error) {
  const last = RetryError.isInstance(error) ? error.lastError : error;
  return APICallError.isInstance(last) ? last.statusCode : undefined;
}

const askingForObject = () => ({
  model,
  prompt: writingWeather(),
  output: Output.object({ schema: Weather }),
});

async function readStreamedObject() {
  let last;
  for await (const partial of streamText(askingForObject()).partialOutputStream) last = partial;
  return last;
}

async function useTools(prompt, weather, isStreamed) {
  const tools = { get_weather: tool({ inputSchema: City, execute: weather }) };
  const asking = { model, prompt, tools, stopWhen: stepCountIs(5) };
  return isStreamed ? streamText(asking).text : (await generateText(asking)).text;
}

const features = featuresOf({
  service,
  ask,
  stream,
  statusOf,
  objects: [async () => (await generateText(askingForObject())).output, readStreamedObject],
  useTools,
  embed: async (values) => (await embedMany({ model: embedding(), values })).embeddings,
  draw: async (prompt) => (await generateImage({ model: image(), prompt })).image.uint8Array,
  speak:
    speech && (async (text) => (await generateSpeech({ model: speech(), text })).audio.uint8Array),
  hear:
    transcription && (async (audio) => (await transcribe({ model: transcription(), audio })).text),
  askGuarded: withFields && ((prompt, moderation) => ask(prompt, withFields({ moderation }))),
});
await drive(packages, features);
