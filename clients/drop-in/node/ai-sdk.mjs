// Vercel's AI SDK with each of its providers for such services: `node ai-sdk.mjs PROVIDER`.
import assert from "node:assert/strict";
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
import { z } from "zod";
import {
  askingForWeather,
  assertErrors,
  assertVectors,
  drive,
  heard,
  models,
  oddAnswers,
  recording,
  rude,
  said,
  saying,
  texts,
  timesAsked,
} from "./drive.mjs";

// Warnings about models that the SDK does not know are not of interest here.
globalThis.AI_SDK_LOG_WARNINGS = false;

const { env } = process;

/** workers-ai-provider has its service's address in its code: its `fetch` is where it is changed. */
const toGateway = (url, options) =>
  fetch(
    String(url).replace("https://api.cloudflare.com/client/v4", env.CLOUDFLARE_BASE_URL),
    options,
  );

function openAi(isSpent) {
  const apiKey = isSpent ? env.SPENT_API_KEY : env.OPENAI_API_KEY;
  return createOpenAI({ baseURL: env.OPENAI_BASE_URL, apiKey });
}

/** The parts of each provider; null for what it does not have. */
const PROVIDERS = {
  chat: {
    packages: ["ai", "@ai-sdk/openai"],
    chat: (model, isSpent) => openAi(isSpent).chat(model),
    embedding: () => openAi().embedding(models.embedding),
    image: () => openAi().image(models.image),
    speech: () => openAi().speech(models.speech),
    transcription: () => openAi().transcription(models.transcription),
  },
  responses: {
    packages: ["ai", "@ai-sdk/openai"],
    chat: (model, isSpent) => openAi(isSpent).responses(model),
    embedding: () => openAi().embedding(models.embedding),
    image: () => openAi().image(models.image),
    speech: () => openAi().speech(models.speech),
    transcription: () => openAi().transcription(models.transcription),
  },
  compatible: {
    packages: ["ai", "@ai-sdk/openai-compatible"],
    chat: (model, isSpent) => compatible(isSpent).chatModel(model),
    embedding: () => compatible().embeddingModel(models.embedding),
    image: () => compatible().imageModel(models.image),
    speech: null,
    transcription: null,
  },
  "workers-ai": {
    packages: ["ai", "workers-ai-provider"],
    chat: (model, isSpent) => workersAi(isSpent)(model),
    embedding: () => workersAi().textEmbedding(models.embedding),
    image: () => workersAi().image(models.image),
    speech: () => workersAi().speech("@cf/deepgram/aura-2-en"),
    transcription: () => workersAi().transcription(models.transcription),
    upstream: env.CLOUDFLARE_UPSTREAM_URL,
  },
};

function compatible(isSpent) {
  return createOpenAICompatible({
    name: "neurogate",
    baseURL: env.OPENAI_BASE_URL,
    apiKey: isSpent ? env.SPENT_API_KEY : env.OPENAI_API_KEY,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
}

function workersAi(isSpent) {
  return createWorkersAI({
    accountId: isSpent ? env.SPENT_ACCOUNT_ID : env.CLOUDFLARE_ACCOUNT_ID,
    apiKey: isSpent ? env.SPENT_API_TOKEN : env.CLOUDFLARE_API_TOKEN,
    fetch: toGateway,
  });
}

const provider = PROVIDERS[process.argv[2]];
const model = provider.chat(models.chat);

const shownOf = ({ text, finishReason, usage }) => ({
  text,
  finish: finishReason.replace("-", "_"),
  usage: usage && [usage.inputTokens, usage.outputTokens],
  reasoning: usage?.outputTokenDetails?.reasoningTokens ?? usage?.reasoningTokens,
});

async function ask(prompt, { model: name = models.chat, isSpent = false } = {}) {
  // Of its own it tries twice again, after two and four seconds.
  return shownOf(
    await generateText({ model: provider.chat(name, isSpent), prompt, maxRetries: 1 }),
  );
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

const Weather = z.object({ city: z.string(), degrees: z.number(), note: z.string().nullable() });
const WEATHER = { city: "Paris", degrees: 24, note: null };

/** The tool, and which cities it was asked about. */
function weatherTool() {
  const cities = [];
  const get_weather = tool({
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      cities.push(city);
      return { degrees: 24 };
    },
  });
  return { cities, asking: { model, tools: { get_weather }, stopWhen: stepCountIs(5) } };
}

const features = {
  async text() {
    const { text, finish, usage } = await ask(saying());
    assert.deepEqual([text, finish, usage], [said, "stop", [12, 5]]);
  },

  async stream() {
    const { text, usage } = await stream(saying());
    assert.deepEqual([text, usage], [said, [12, 5]]);
  },

  async objects() {
    const asking = {
      model,
      prompt: saying(JSON.stringify(WEATHER)),
      output: Output.object({ schema: Weather }),
    };
    const { output } = await generateText(asking);
    assert.deepEqual(output, WEATHER);
    let last;
    for await (const partial of streamText(asking).partialOutputStream) last = partial;
    assert.deepEqual(last, WEATHER);
  },

  async tools() {
    const whole = weatherTool();
    const { text, steps } = await generateText({ ...whole.asking, prompt: askingForWeather() });
    assert.deepEqual([text, steps.length, whole.cities], [said, 3, ["Paris", "Rome"]]);
    const streamed = weatherTool();
    const result = streamText({ ...streamed.asking, prompt: askingForWeather("&no_ids") });
    assert.deepEqual([await result.text, streamed.cities], [said, ["Paris", "Rome"]]);
  },

  async embeddings() {
    const { embeddings } = await embedMany({ model: provider.embedding(), values: texts(150) });
    assertVectors(embeddings, 150);
  },

  async images() {
    const { image } = await generateImage({ model: provider.image(), prompt: "A red boat" });
    assert.match(image.mediaType, /^image\/(png|jpeg)$/);
    assert.ok(image.uint8Array.length > 20);
  },

  async speech() {
    const { audio } = await generateSpeech({ model: provider.speech(), text: "Hello" });
    assert.ok(audio.uint8Array.length > 400);
  },

  async transcription() {
    const { text } = await transcribe({
      model: provider.transcription(),
      audio: recording(),
    });
    assert.equal(text, heard);
  },

  /** This provider alone passes on fields that it does not know. */
  async guard() {
    const moderation = { model: "omni-moderation-latest", policy: { input: { mode: "block" } } };
    const prompt = `${rude} ${saying()}`;
    const asking = { model, prompt, providerOptions: { neurogate: { moderation } } };
    const { text, finishReason } = await generateText(asking);
    assert.deepEqual([text, finishReason], ["", "content-filter"]);
    assert.equal(await timesAsked(prompt), 0);
  },

  async errors() {
    await assertErrors({ ask, statusOf, upstream: provider.upstream });
  },

  odd: oddAnswers({ ask, stream }),
};

if (process.argv[2] !== "compatible") delete features.guard;
if (provider.speech === null) delete features.speech;
if (provider.transcription === null) delete features.transcription;
await drive(provider.packages, features);
