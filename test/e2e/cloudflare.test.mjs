// The official clients of Cloudflare and OpenAI against the real server, by base URL only, with the
// real binding and a fake of Workers AI behind it.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Cloudflare, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "cloudflare";
import OpenAI, {
  toFile,
  AuthenticationError as OpenAiAuthentication,
  NotFoundError as OpenAiNotFound,
} from "openai";
import { startFakeWorkersAi } from "../fakes/workers-ai-server.mjs";
import { MARKER, Server } from "./server.mjs";
import { pngPicture } from "./tiny-picture.mjs";

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const DETR = "@cf/facebook/detr-resnet-50";
const LLAVA = "@cf/llava-hf/llava-1.5-7b-hf";
const IMG2IMG = "@cf/runwayml/stable-diffusion-v1-5-img2img";
const M2M100 = "@cf/meta/m2m100-1.2b";

const fake = await startFakeWorkersAi();
/** As a platform may price what has no published price. */
const PRICES = {
  [DETR]: { image: 1000 },
  [IMG2IMG]: { step: 2_000_000 },
  [LLAVA]: { input_token: 10, output_token: 20 },
};

const settings = { INFERENCE: "workers-ai", PRICES: JSON.stringify(PRICES) };
const server = new Server(settings, fake.url);
before(() => server.start());
after(() => server.stop());

/** A client with its default settings; `requests` is all that it sent, with the replies. */
async function clientOf(tenant, terms = {}) {
  const apiToken = await server.makeTenant(tenant, terms);
  const requests = [];
  const counting = async (url, options) => {
    const response = await fetch(url, options);
    requests.push({ url: String(url), response });
    return response;
  };
  const baseURL = `${server.url}/client/v4`;
  const client = new Cloudflare({ apiToken, baseURL, fetch: counting });
  const run = (model, inputs, options) =>
    client.ai.run(model, { account_id: tenant, ...inputs }, options);
  return { client, run, requests, apiToken };
}

const pixels = (comment = MARKER) => [...Buffer.from(pngPicture(comment), "base64")];

let drawn = 0;
const marked = (behaviour) => `${MARKER} [[fake:${behaviour}|${(drawn += 1)}]]`;

test("client.ai.run, task by task", async (t) => {
  const { run, requests } = await clientOf("runs");

  await t.test("text classification", async () => {
    const text = `The worst of days, ${MARKER}`;
    const result = await run(DISTILBERT, { text });
    assert.deepEqual(
      result.map(({ label }) => label),
      ["NEGATIVE", "POSITIVE"],
    );
    assert.equal(result[0].score, 0.98);
  });

  await t.test("reranking", async () => {
    const contexts = [{ text: `${MARKER} is longer` }, { text: MARKER }];
    const { response } = await run("@cf/baai/bge-reranker-base", { query: MARKER, contexts });
    assert.deepEqual(
      response.map(({ id }) => id),
      [0, 1],
    );
  });

  await t.test("embeddings", async () => {
    const result = await run("@cf/baai/bge-base-en-v1.5", { text: [MARKER, "ab"] });
    assert.deepEqual(result.shape, [2, 4]);
    assert.equal(result.data[1][0], 2);
  });

  await t.test(
    "image classification: numbers, and more of them than a body may have values",
    async () => {
      const image = [...pixels(), ...Array.from({ length: 300_000 }, () => 7)];
      const result = await run("@cf/microsoft/resnet-50", { image });
      assert.deepEqual(result, [{ label: "TABBY", score: 0.92 }]);
    },
  );

  await t.test("objects and a description, by models that the platform prices", async () => {
    const [object] = await run(DETR, { image: pixels() });
    assert.deepEqual(object, {
      score: 0.93,
      label: "cat",
      box: { xmin: 1, ymin: 2, xmax: 30, ymax: 40.5 },
    });
    assert.equal(requests.at(-1).response.headers.get("x-neurogate-micro-neurons"), "1000");
    const { description } = await run(LLAVA, { image: pixels(), prompt: MARKER, max_tokens: 9 });
    assert.equal(description, "A small square.");
  });

  await t.test("a picture, in JSON and as it is", async () => {
    const { image } = await run("@cf/black-forest-labs/flux-1-schnell", { prompt: MARKER });
    assert.ok(Buffer.from(image, "base64").length > 20);
    const inputs = { prompt: MARKER, width: 512, height: 512, num_steps: 10 };
    const response = await run("@cf/leonardo/phoenix-1.0", inputs).asResponse();
    assert.match(response.headers.get("content-type"), /^image\//);
    assert.ok((await response.arrayBuffer()).byteLength > 20);
  });

  await t.test("a description of a picture", async () => {
    const image = `data:image/png;base64,${pngPicture(MARKER)}`;
    const inputs = { image, question: `What is ${MARKER}?` };
    const result = await run("@cf/moondream/moondream3.1-9B-A2B", inputs);
    assert.equal(result.answer, "A small square, seen from above.");
    assert.equal(result.metrics.input_tokens, 740);
  });

  await t.test("translation", async () => {
    const inputs = { text: MARKER, source_lang: "en", target_lang: "fr" };
    const result = await run(M2M100, inputs);
    assert.deepEqual(result, { translated_text: `fr: ${MARKER}` });
    const indic = { text: [MARKER], target_language: "hin_Deva" };
    assert.deepEqual(await run("@cf/ai4bharat/indictrans2-en-indic-1B", indic), {
      translations: [`hin_Deva: ${MARKER}`],
    });
  });

  await t.test("text generation", async () => {
    const prompt = marked("text=Hello there&usage=60/2");
    const older = await run("@cf/meta/llama-3.1-8b-instruct-fp8", { prompt });
    assert.equal(older.response, "Hello there");
    assert.equal(older.usage.total_tokens, 62);
    const messages = [{ role: "user", content: marked("text=Hello") }];
    const newer = await run("@cf/google/gemma-4-26b-a4b-it", { messages });
    assert.equal(newer.choices[0].message.content, "Hello");
  });

  await t.test("text generation as a stream", async () => {
    const inputs = { prompt: marked("text=Hello there"), stream: true };
    const response = await run("@cf/meta/llama-3.1-8b-instruct-fp8", inputs).asResponse();
    assert.match(response.headers.get("content-type"), /^text\/event-stream/);
    const events = (await response.text()).split("\n\n").filter(Boolean);
    assert.equal(events.pop(), "data: [DONE]");
    const said = events.map((event) => JSON.parse(event.replace("data: ", "")).response);
    assert.equal(said.join(""), "Hello there");
  });

  assert.ok(requests.every(({ url }) => url.includes("%2F")));
  assert.ok(requests.every(({ response }) => response.status === 200));
});

/** @returns {(error: unknown) => true} checks an error of the client */
const failsAs = (type, code, kind) => (error) => {
  assert.ok(error instanceof type, error?.message);
  assert.ok(error instanceof APIError);
  assert.equal(error.errors[0].code, code);
  assert.equal(error.errors[0].kind, kind);
  assert.match(error.errors[0].message, /\S/);
  return true;
};

test("a quota that is used up is told once, and not asked again", async () => {
  const { run, requests } = await clientOf("spent", { daily_neurons: 0.1 });
  const text = `Nice to meet you all, ${MARKER}`;
  await run(DISTILBERT, { text });
  await assert.rejects(run(DISTILBERT, { text }), failsAs(RateLimitError, 3036, "quota_exceeded"));
  assert.equal(requests.length, 2);
  assert.equal(requests[1].response.headers.get("x-should-retry"), "false");
});

test("a rate that is reached names the wait", async () => {
  const { run, requests } = await clientOf("paced", { rpm: { requests: 1 } });
  await run(DISTILBERT, { text: MARKER });
  // The client would wait as it is told, a minute long.
  const once = run(DISTILBERT, { text: MARKER }, { maxRetries: 0 });
  await assert.rejects(once, failsAs(RateLimitError, 3040, "rate_limited"));
  assert.ok(Number(requests.at(-1).response.headers.get("retry-after")) > 0);
});

test("an engine without capacity is asked again by the client, and then told", async () => {
  const { run, requests } = await clientOf("busy");
  const busy = run(DISTILBERT, { text: marked("3040") });
  await assert.rejects(busy, failsAs(InternalServerError, 3040, "engine_busy"));
  assert.equal(requests.length, 3, "nothing was charged, so that a repeat costs nothing");
});

test("what can never succeed is asked once", async () => {
  const { run, requests } = await clientOf("wrong");
  const cases = [
    ["@cf/no/such-model", { text: MARKER }, NotFoundError, 5007, "model_not_found"],
    ["@cf/facebook/bart-large-cnn", { text: "a" }, NotFoundError, 5007, "model_retired"],
    ["@cf/cloudflare/clef", { text: "a" }, BadRequestError, 5007, "unpriced_model"],
    [DISTILBERT, { text: 5 }, BadRequestError, 3003, "invalid_request"],
    ["@cf/microsoft/resnet-50", { image: [1, 2] }, BadRequestError, 3003, "invalid_request"],
    [M2M100, { text: "a", target_lang: "xx" }, BadRequestError, 3003, "invalid_request"],
  ];
  for (const [model, inputs, type, code, kind] of cases) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await assert.rejects(run(model, inputs), failsAs(type, code, kind));
  }
  assert.equal(requests.length, cases.length);
});

test("another tenant's account is no account", async () => {
  const { client } = await clientOf("mine");
  await server.makeTenant("theirs");
  const other = client.ai.run(DISTILBERT, { account_id: "theirs", text: MARKER });
  await assert.rejects(other, failsAs(AuthenticationError, 10_000, "invalid_key"));
  const nobody = client.ai.run(DISTILBERT, { account_id: "nobody", text: MARKER });
  await assert.rejects(nobody, failsAs(AuthenticationError, 10_000, "invalid_key"));
});

test("the account's base URL is OpenAI's", async () => {
  const { apiToken } = await clientOf("both");
  const baseURL = `${server.url}/client/v4/accounts/both/ai/v1`;
  const openai = new OpenAI({ apiKey: apiToken, baseURL });
  const model = "@cf/meta/llama-3.1-8b-instruct-fp8";
  const messages = [{ role: "user", content: marked("text=Hello there&usage=60/2") }];
  const whole = await openai.chat.completions.create({ model, messages });
  assert.equal(whole.choices[0].message.content, "Hello there");
  const stream = await openai.chat.completions.create({ model, messages, stream: true });
  let said = "";
  for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";
  assert.equal(said, "Hello there");
  const input = [MARKER, "ab"];
  const vectors = await openai.embeddings.create({ model: "@cf/baai/bge-base-en-v1.5", input });
  assert.equal(vectors.data[1].embedding[0], 2);
  const listed = await openai.models.list();
  assert.ok(listed.data.some(({ id }) => id === model));
  assert.equal((await openai.models.retrieve(model)).id, model);
  await assert.rejects(openai.embeddings.create({ model: "no-such-model", input }), (error) => {
    assert.ok(error instanceof OpenAiNotFound);
    assert.equal(error.code, "model_not_found");
    return true;
  });
  const stranger = new OpenAI({ apiKey: apiToken, baseURL: baseURL.replace("/both/", "/mine/") });
  await assert.rejects(stranger.models.list(), (error) => {
    assert.ok(error instanceof OpenAiAuthentication);
    assert.equal(error.code, "invalid_api_key");
    return true;
  });
});

test("OpenAI's client edits a picture by a model that the platform prices", async () => {
  const { apiToken } = await clientOf("edits");
  const openai = new OpenAI({ apiKey: apiToken, baseURL: `${server.url}/v1` });
  const prompt = marked("ok");
  const image = await toFile(Buffer.from(pngPicture(MARKER), "base64"), "a.png");
  const made = await openai.images.edit({ model: IMG2IMG, image, prompt, n: 2 });
  assert.equal(made.data.length, 2);
  // Twice 20 steps of 2 neurons.
  assert.equal(made.neurogate.micro_neurons, 80_000_000);
  const asked = await (
    await fetch(new URL(`/__requests?match=${encodeURIComponent(prompt)}`, fake.url))
  ).json();
  assert.equal(asked[0].model, IMG2IMG);
  // A model's own strength would leave nothing of the picture.
  assert.equal(asked[0].inputs.strength, 0.7);
  const varied = await openai.images.createVariation({ model: IMG2IMG, image });
  assert.equal(varied.neurogate.micro_neurons, 40_000_000);
});
