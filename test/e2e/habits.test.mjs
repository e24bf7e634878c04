// What the official client and plain HTTP clients do that is none of the documented ways, against the
// real server.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import OpenAI, { BadRequestError, NotFoundError } from "openai";
import { sharedServer } from "./server.mjs";

const server = sharedServer();

const MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";
const EMBEDDER = "@cf/baai/bge-small-en-v1.5";
const messages = [{ role: "user", content: "The pump runs at 42 bar. How fast does it run?" }];

const clientOf = (apiKey, path = "/v1") =>
  new OpenAI({ apiKey, baseURL: `${server.url}${path}`, maxRetries: 0 });

test("a base URL that is not quite right is told of the right path", async () => {
  const key = await server.makeTenant("habits-a");
  for (const path of ["/v1/v1", "", "/v1/"]) {
    const client = clientOf(key, path);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const outcome = await client.chat.completions.create({ model: MODEL, messages }).then(
      () => null,
      (error) => error,
    );
    // The client takes a slash at the end off by itself, in some of its versions.
    if (path === "/v1/" && outcome === null) continue;
    assert.ok(outcome instanceof NotFoundError, path);
    assert.match(outcome.message, /Did you mean \/v1\/chat\/completions\?/);
  }
});

test("a route of OpenAI's that is not here is told as such", async () => {
  const client = clientOf(await server.makeTenant("habits-b"));
  await assert.rejects(client.files.list(), (error) => {
    assert.ok(error instanceof NotFoundError);
    assert.equal(error.code, "not_found");
    return true;
  });
});

test("an effort, a store and a model of the AI Gateway's, with what was made of them", async () => {
  const client = clientOf(await server.makeTenant("habits-c"));
  const body = { model: `workers-ai/${MODEL}`, messages, store: true, reasoning_effort: "xhigh" };
  const { data, response } = await client.chat.completions.create(body).withResponse();
  assert.equal(data.model, MODEL);
  assert.equal(response.headers.get("x-neurogate-store"), "false");
  assert.equal(response.headers.get("x-neurogate-reasoning-effort"), "high");
});

test("structured output of nested models, as the client's own parser reads it", async () => {
  const client = clientOf(await server.makeTenant("habits-d"));
  const schema = {
    type: "object",
    properties: {
      machine: { $ref: "#/$defs/Machine" },
      note: { anyOf: [{ type: "string" }, { type: "null" }] },
    },
    required: ["machine", "note"],
    additionalProperties: false,
    $defs: {
      Machine: {
        type: "object",
        properties: { bar: { type: "integer" }, kind: { enum: ["fan", "pump"] } },
        required: ["bar", "kind"],
        additionalProperties: false,
      },
    },
  };
  const response_format = { type: "json_schema", json_schema: { name: "m", schema, strict: true } };
  const reply = await client.chat.completions.parse({ model: MODEL, messages, response_format });
  assert.deepEqual(reply.choices[0].message.parsed.machine, { bar: 42, kind: "pump" });
  const unfillable = {
    ...schema.$defs.Machine,
    properties: { bar: { type: "string", pattern: "x" } },
  };
  const wish = { type: "json_schema", json_schema: { name: "m", schema: unfillable } };
  await assert.rejects(
    client.chat.completions.create({ model: MODEL, messages, response_format: wish }),
    (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.match(error.message, /the local stand-in cannot fill pattern at #\/properties\/bar/);
      return true;
    },
  );
});

test("many texts in one call, and token ids in none", async () => {
  const client = clientOf(await server.makeTenant("habits-e"));
  const input = Array.from({ length: 250 }, (_, at) => `text ${at}`);
  const reply = await client.embeddings.create({ model: EMBEDDER, input });
  assert.deepEqual(
    reply.data.map(({ index }) => index),
    input.map((_, at) => at),
  );
  const one = await client.embeddings.create({ model: EMBEDDER, input: input[249] });
  assert.deepEqual(reply.data[249].embedding, one.data[0].embedding);
  await assert.rejects(client.embeddings.create({ model: EMBEDDER, input: [1, 2, 3] }), {
    param: "input",
  });
});

test("a body in gzip, and a key under another name", async () => {
  const key = await server.makeTenant("habits-f");
  const headers = {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "x-api-key": key,
  };
  const text = "A lovely day. ".repeat(5000);
  const send = (content) =>
    fetch(`${server.url}/v1/moderations`, {
      method: "POST",
      headers,
      body: gzipSync(JSON.stringify({ input: content })),
    });
  const reply = await send(text);
  const told = await reply.json();
  assert.equal(reply.status, 200, JSON.stringify(told));
  assert.equal(told.results.length, 1);
  const bomb = await send("a".repeat(30_000_000));
  assert.equal(bomb.status, 413);
});

test("completions.create, whole and streamed", async () => {
  const client = clientOf(await server.makeTenant("habits-g"));
  const body = { model: MODEL, prompt: messages[0].content };
  const whole = await client.completions.create(body);
  assert.equal(whole.object, "text_completion");
  assert.equal(whole.choices[0].text, "The pump runs at 42 bar.");
  let text = "";
  for await (const chunk of await client.completions.create({ ...body, stream: true })) {
    text += chunk.choices[0]?.text ?? "";
  }
  assert.equal(text, whole.choices[0].text);
});
