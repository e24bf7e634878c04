// The official client's list of models, its choice among them, and what it is told of fitting.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, { BadRequestError, NotFoundError } from "openai";
import { sharedServer } from "./server.mjs";

const server = sharedServer();

const clientOf = (apiKey) => new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });
const messages = [{ role: "user", content: "Write a python function that adds" }];

test("models.list and models.retrieve", async () => {
  const client = clientOf(await server.makeTenant("models-a"));
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes("auto"));
  const id = "@cf/meta/llama-3.1-8b-instruct-fp8";
  assert.ok(ids.includes(id));
  const model = await client.models.retrieve(id);
  assert.equal(model.id, id);
  assert.equal(model.object, "model");
  assert.equal(model.neurogate.prices.input_token, 13_778);
  const retired = await client.models.retrieve("@cf/meta/llama-3-8b-instruct");
  assert.equal(retired.neurogate.replacement, id);
  await assert.rejects(client.models.retrieve("gpt-none"), (error) => {
    assert.ok(error instanceof NotFoundError);
    assert.equal(error.code, "model_not_found");
    return true;
  });
});

test("a chat that names auto, whole and streamed", async () => {
  const client = clientOf(await server.makeTenant("models-b"));
  const whole = await client.chat.completions.create({ model: "auto", messages });
  assert.equal(whole.neurogate.routing.task, "code");
  assert.equal(whole.model, whole.neurogate.routing.model);
  const stream = await client.chat.completions.create({ model: "auto", messages, stream: true });
  const models = new Set();
  for await (const chunk of stream) models.add(chunk.model);
  assert.deepEqual([...models], [whole.model]);
});

test("a chat that is too dear says what would fit, and is cut to it where that is wanted", async () => {
  const client = clientOf(await server.makeTenant("models-c", { daily_neurons: 3 }));
  const body = { model: "@cf/meta/llama-3.1-8b-instruct-fp8", messages, max_tokens: 4000 };
  let fitting;
  await assert.rejects(client.chat.completions.create(body), (error) => {
    assert.ok(error instanceof BadRequestError);
    assert.equal(error.code, "over_limit");
    fitting = error.error.fitting_max_tokens;
    return true;
  });
  assert.ok(fitting > 0);
  const headers = { "x-neurogate-fit": "true" };
  const cut = await client.chat.completions.create(body, { headers }).withResponse();
  assert.equal(cut.response.headers.get("x-neurogate-clamped-max-tokens"), String(fitting));
});
