// The official client against the real server: the Responses API over an OpenAI-compatible server that
// does as it is told. Conversations go on after the server was killed, and what is kept is gone in time.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import OpenAI, { BadRequestError, NotFoundError } from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { startFakeOpenAi } from "../fakes/openai-server.mjs";
import { assertInvariants, MARKER, Server, sharedServer } from "./server.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(new URL("../../docs/responses.md", import.meta.url), "utf8");

const fake = await startFakeOpenAi();
const embedded = sharedServer();
const served = new Server({
  INFERENCE: "openai",
  OPENAI_BASE_URL: fake.url.href,
  OPENAI_MODEL: "llama3",
});
before(() => served.start());
after(() => served.stop());

const MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";
const HOUR_S = 3600;

let made = 0;
async function aClient(settings) {
  made += 1;
  const key = await served.makeTenant(`responses-e2e-${made}`, settings);
  const client = new OpenAI({ apiKey: key, baseURL: `${served.url}/v1`, maxRetries: 0 });
  return { client, key };
}

/** The first one of a conversation says how the model behaves in all of it. */
const scripted = (behaviour) => `${MARKER} [[fake:${behaviour}|${crypto.randomUUID()}]]`;

const TOOLS = [
  {
    type: "function",
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
    strict: false,
  },
];

const create = (client, ask) => client.responses.create({ model: MODEL, ...ask });

const outputsOf = (response, output) =>
  response.output
    .filter(({ type }) => type === "function_call")
    .map(({ call_id }) => ({ type: "function_call_output", call_id, output }));

test("a text, with its usage and its cost", async () => {
  const { client, key } = await aClient();
  const response = await create(client, {
    instructions: "Be brief.",
    input: scripted("text=Hello over there&usage=12/5/4/3"),
  });
  assert.equal(response.output_text, "Hello over there");
  assert.equal(response.status, "completed");
  assert.equal(response.store, true);
  assert.deepEqual(response.usage, {
    input_tokens: 12,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 3 },
    total_tokens: 17,
  });
  assert.ok(response.neurogate.micro_neurons > 0);
  await assertInvariants(served.url, key);
});

test("a stream that the client puts together", async () => {
  const { client } = await aClient();
  const stream = client.responses.stream({
    model: MODEL,
    input: scripted("text=Hello over there&usage=12/5"),
  });
  const types = [];
  let text = "";
  stream.on("event", ({ type }) => types.push(type));
  stream.on("response.output_text.delta", ({ delta }) => (text += delta));
  const response = await stream.finalResponse();
  assert.equal(types[0], "response.created");
  assert.equal(types.at(-1), "response.completed");
  assert.equal(text, "Hello over there");
  assert.equal(response.output_text, text);
  assert.equal(response.usage.total_tokens, 17);
  const kept = await client.responses.retrieve(response.id);
  assert.equal(kept.output_text, text);
});

test("tools over three steps, streamed, with kept items", async () => {
  const { client } = await aClient();
  const ask = { model: MODEL, tools: TOOLS };
  const input = scripted("tool=get_weather&calls=2,tool=get_weather,text=Sunny");
  const first = await client.responses.stream({ ...ask, input }).finalResponse();
  assert.equal(first.output.length, 2);
  assert.deepEqual(JSON.parse(first.output[0].arguments), { city: "Paris" });
  const second = await client.responses
    .stream({ ...ask, input: outputsOf(first, "24 degrees"), previous_response_id: first.id })
    .finalResponse();
  const third = await client.responses
    .stream({ ...ask, input: outputsOf(second, "25 degrees"), previous_response_id: second.id })
    .finalResponse();
  assert.equal(third.output_text, "Sunny");
});

test("references to items, as some clients send every earlier answer", async () => {
  const { client } = await aClient();
  const input = scripted("tool=get_weather,tool=get_weather,text=Sunny");
  const items = [{ role: "user", content: input }];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- step by step
    const response = await create(client, { input: items, tools: TOOLS });
    items.push(...response.output.map(({ id }) => ({ type: "item_reference", id })));
    const outputs = outputsOf(response, "24 degrees");
    if (outputs.length === 0) {
      assert.equal(response.output_text, "Sunny");
      break;
    }
    items.push(...outputs);
  }
  assert.equal(items.length, 6);
});

test("an answer by a schema", async () => {
  const { client } = await aClient();
  const Place = z.object({ city: z.string(), people: z.number() });
  const response = await client.responses.parse({
    model: MODEL,
    input: scripted('text={"city":"Paris"%2C"people":2000000}'),
    text: { format: zodTextFormat(Place, "place") },
  });
  assert.deepEqual(response.output_parsed, { city: "Paris", people: 2_000_000 });
});

test("branches of a conversation, its items, and a deletion", async () => {
  const { client } = await aClient();
  const first = await create(client, { input: scripted("text=Ada,text=Bob,text=Eve") });
  const left = await create(client, { input: "And then?", previous_response_id: first.id });
  const right = await create(client, { input: "Or else?", previous_response_id: first.id });
  assert.deepEqual([left.output_text, right.output_text], ["Bob", "Eve"]);
  const items = [];
  for await (const item of client.responses.inputItems.list(right.id)) items.push(item);
  assert.deepEqual(
    items.map(({ content }) => content[0].text),
    ["Or else?"],
  );
  await client.responses.delete(first.id);
  await assert.rejects(client.responses.retrieve(first.id), NotFoundError);
  await assert.rejects(
    create(client, { input: "On", previous_response_id: left.id }),
    (error) => error instanceof BadRequestError && error.code === "previous_response_not_found",
  );
  assert.equal((await client.responses.retrieve(left.id)).output_text, "Bob");
});

test("two tenants never see each other's responses", async () => {
  const { client } = await aClient();
  const { client: other } = await aClient();
  const response = await create(client, { input: scripted("text=Ada") });
  await assert.rejects(other.responses.retrieve(response.id), NotFoundError);
  await assert.rejects(other.responses.delete(response.id), NotFoundError);
  await assert.rejects(
    create(other, { input: "On", previous_response_id: response.id }),
    BadRequestError,
  );
  const input = [
    { role: "user", content: "On" },
    { type: "item_reference", id: response.output[0].id },
  ];
  await assert.rejects(create(other, { input }), BadRequestError);
  assert.equal((await client.responses.retrieve(response.id)).output_text, "Ada");
});

test("the erasure of a person", async () => {
  const { client, key } = await aClient();
  const ask = { input: scripted("text=Ada") };
  const hers = await create(client, { ...ask, safety_identifier: "person-1" });
  const others = await create(client, { ...ask, safety_identifier: "person-2" });
  const body = { user_id: "person-1" };
  const { body: erasure } = await served.send("POST", "/v1/erasures", { key, body });
  const state = async () =>
    (await served.send("GET", `/v1/erasures/${erasure.id}`, { key })).body.state;
  const deadlineMs = Date.now() + 20_000;
  // oxlint-disable-next-line no-await-in-loop -- until it is done
  while ((await state()) !== "done" && Date.now() < deadlineMs) await sleep(100);
  assert.equal(await state(), "done");
  await assert.rejects(client.responses.retrieve(hers.id), NotFoundError);
  assert.equal((await client.responses.retrieve(others.id)).output_text, "Ada");
});

test("what is not served is a typed error that says what is", async () => {
  const { client } = await aClient();
  for (const [ask, param] of [
    [{ tools: [{ type: "web_search" }] }, "tools"],
    [{ background: true }, "background"],
    [{ conversation: "conv_1" }, "conversation"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- a few, one after the other
    await assert.rejects(create(client, { input: "hi", ...ask }), (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.equal(error.param, param);
      return true;
    });
  }
});

test("a conversation goes on after the server was killed between two turns", async () => {
  const { client, key } = await aClient();
  const first = await create(client, {
    input: scripted("tool=get_weather,text=Sunny"),
    tools: TOOLS,
  });
  await served.kill();
  await served.start();
  const second = await create(client, {
    input: outputsOf(first, "24 degrees"),
    previous_response_id: first.id,
    tools: TOOLS,
  });
  assert.equal(second.output_text, "Sunny");
  await assertInvariants(served.url, key);
});

test("a response is gone after its time", async () => {
  const { client } = await aClient({ response_retention_s: HOUR_S });
  const first = await create(client, { input: scripted("text=Ada,text=Bob") });
  await served.passTime((HOUR_S + 60) * 1000);
  await assert.rejects(client.responses.retrieve(first.id), NotFoundError);
});

/** The fenced blocks of the page in one language. */
const blocksOf = (language) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, code]) => code,
  );

test("the examples of the page", async (t) => {
  const NEUROGATE_KEY = await embedded.makeTenant("responses-page");
  const env = { ...process.env, NEUROGATE_URL: embedded.url, NEUROGATE_KEY };
  const run = (command, args) => promisify(execFile)(command, args, { cwd: ROOT, env });
  await t.test("with curl", async () => {
    const [script, ...more] = blocksOf("sh");
    assert.deepEqual(more, []);
    const { stdout } = await run("sh", ["-e", "-c", script]);
    assert.match(stdout, /"object":"response"/);
    assert.match(stdout, /"object":"list"/);
    assert.match(stdout, /"deleted":true/);
  });
  await t.test("with OpenAI's client", async () => {
    const [script, ...more] = blocksOf("js");
    assert.deepEqual(more, []);
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
    assert.match(stdout, /ferry/i);
  });
});
