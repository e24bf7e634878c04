// The official client against the real server: chats, streamed and not, with the embedded engine and
// with an OpenAI-compatible server behind it that does as it is told.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI, { APIError, BadRequestError, NotFoundError, RateLimitError } from "openai";
import { startFakeOpenAi } from "../fakes/openai-server.mjs";
import { assertInvariants, MARKER, readAll, Server, sharedServer } from "./server.mjs";

const fake = await startFakeOpenAi();
const embedded = sharedServer();
const served = new Server({
  INFERENCE: "openai",
  OPENAI_BASE_URL: fake.url.href,
  OPENAI_MODEL: "llama3",
});
before(() => served.start());
after(() => served.stop());

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8"; // 13,778 in, 26,128 out

const clientOf = (server, apiKey) =>
  new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });

let made = 0;
async function aClient(server, settings) {
  made += 1;
  const key = await server.makeTenant(`chat-${made}`, settings);
  return {
    client: clientOf(server, key),
    lines: () => readAll(server.url, "/v1/ledger", key),
    key,
  };
}

const said = (content) => [{ role: "user", content: `${content} ${MARKER}` }];
const scripted = (behaviour) => said(`[[fake:${behaviour}|${crypto.randomUUID()}]]`);

/** Until a line is there. */
async function settled(lines, timeoutMs = 5_000) {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const all = await lines();
    if (all.length > 0) return all;
    assert.ok(Date.now() < deadlineMs, "no line came");
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await sleep(50);
  }
}

test("chat.completions.create", async () => {
  const { client, lines } = await aClient(embedded);
  const reply = await client.chat.completions.create({
    model: LLAMA,
    messages: [
      { role: "developer", content: "The ferry leaves at noon. The museum is closed." },
      { role: "user", content: [{ type: "text", text: `When does the ferry leave? ${MARKER}` }] },
    ],
  });
  assert.equal(reply.object, "chat.completion");
  assert.equal(reply.choices[0].message.content, "The ferry leaves at noon.");
  assert.equal(reply.choices[0].finish_reason, "stop");
  assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens);
  assert.equal(reply.neurogate.stand_in, true);
  assert.match(reply["_request_id"], /^req_/);
  const [line] = await lines();
  assert.equal(line.micro_neurons, reply.neurogate.micro_neurons);
});

test("a stream, with and without its usage", async () => {
  const { client, lines } = await aClient(served);
  const ask = {
    model: LLAMA,
    messages: scripted("text=Hello over there&usage=12/5"),
    stream: true,
  };
  const plain = [];
  for await (const chunk of await client.chat.completions.create(ask)) plain.push(chunk);
  assert.equal(
    plain.map(({ choices }) => choices[0].delta.content ?? "").join(""),
    "Hello over there",
  );
  assert.equal(plain[0].choices[0].delta.role, "assistant");
  assert.equal(plain.at(-1).choices[0].finish_reason, "stop");
  assert.ok(plain.every((chunk) => !("usage" in chunk)));

  const told = [];
  const stream_options = { include_usage: true };
  for await (const chunk of await client.chat.completions.create({ ...ask, stream_options })) {
    told.push(chunk);
  }
  const { choices, usage, neurogate } = told.pop();
  assert.deepEqual(choices, []);
  assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [12, 5]);
  assert.equal(neurogate.micro_neurons, 295_976);
  assert.ok(told.every((chunk) => chunk.usage === null));
  const all = await lines();
  assert.deepEqual(
    all.map((line) => line.micro_neurons),
    [295_976, 295_976],
  );
});

test("a stream that the client puts together, with tool calls", async () => {
  const { client } = await aClient(served);
  const tools = [{ type: "function", function: { name: "get_weather", parameters: {} } }];
  const runner = client.chat.completions.stream({
    model: LLAMA,
    messages: scripted("tool=get_weather&calls=2&usage=12/5"),
    tools,
    n: 1,
    stream_options: { include_usage: true },
  });
  const { choices, usage } = await runner.finalChatCompletion();
  assert.equal(choices[0].finish_reason, "tool_calls");
  assert.deepEqual(
    choices[0].message.tool_calls.map((call) => [
      call.function.name,
      JSON.parse(call.function.arguments),
    ]),
    [
      ["get_weather", { city: "Paris" }],
      ["get_weather", { city: "Paris" }],
    ],
  );
  assert.equal(usage.completion_tokens, 5);
});

test("a conversation that goes on with what tools said", async () => {
  const { client } = await aClient(served);
  const tools = [{ type: "function", function: { name: "get_weather", parameters: {} } }];
  const messages = scripted("tool=get_weather,text=Sunny");
  const first = await client.chat.completions.create({ model: LLAMA, messages, tools });
  const { message } = first.choices[0];
  messages.push(message, {
    role: "tool",
    tool_call_id: message.tool_calls[0].id,
    content: "24 degrees",
  });
  const second = await client.chat.completions.create({ model: LLAMA, messages, tools });
  assert.equal(second.choices[0].message.content, "Sunny");
});

test("what is wrong is a typed error", async (t) => {
  const { client, lines } = await aClient(served);
  const create = (ask) =>
    client.chat.completions.create({ model: LLAMA, messages: said("hi"), ...ask });

  await t.test("a bad model", () =>
    assert.rejects(create({ model: "gpt-4o" }), (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.equal(error.code, "model_not_found");
      return true;
    }),
  );
  await t.test("bad input", async () => {
    for (const [ask, param] of [
      [{ n: 9 }, "n"],
      [{ max_tokens: 1e9 }, "max_tokens"],
      [
        { messages: [{ role: "user", content: [{ type: "file", file: {} }] }] },
        "messages[0].content[0].type",
      ],
      [{ stream: true, top_logprobs: 3 }, "top_logprobs"],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- a few, one after the other
      await assert.rejects(create(ask), (error) => {
        assert.ok(error instanceof BadRequestError);
        assert.equal(error.param, param);
        return true;
      });
    }
  });
  assert.deepEqual(await lines(), []);

  await t.test("a quota that is used up, before the first byte of a stream", async () => {
    const { client: poor } = await aClient(served, { daily_neurons: 3.2 });
    const ask = { model: LLAMA, messages: scripted("usage=40/60"), max_tokens: 60, stream: true };
    for await (const chunk of await poor.chat.completions.create(ask)) assert.ok(chunk.id);
    await assert.rejects(poor.chat.completions.create(ask), (error) => {
      assert.ok(error instanceof RateLimitError);
      assert.equal(error.code, "insufficient_quota");
      assert.equal(error.headers.get("x-should-retry"), "false");
      return true;
    });
  });
  await t.test("a rate", async () => {
    const { client: slow } = await aClient(served, { rpm: { text_generation: 1 } });
    const ask = { model: LLAMA, messages: scripted("ok") };
    await slow.chat.completions.create(ask);
    await assert.rejects(slow.chat.completions.create(ask), (error) => {
      assert.ok(error instanceof RateLimitError);
      assert.equal(error.code, "rate_limit_exceeded");
      assert.ok(Number(error.headers.get("retry-after-ms")) > 0);
      return true;
    });
  });
});

test("a stream that the engine drops is an error to the client, at its bound", async () => {
  const { client, lines } = await aClient(served);
  const ask = { model: LLAMA, messages: scripted("words=50&cut=20"), stream: true };
  const stream = await client.chat.completions.create(ask);
  await assert.rejects(
    (async () => {
      for await (const chunk of stream) assert.equal(chunk.choices.length, 1);
    })(),
    (error) => {
      assert.ok(error instanceof APIError);
      assert.equal(error.code, "engine_failed");
      return true;
    },
  );
  const [line] = await settled(lines);
  assert.equal(line.items[0].basis, "held");
  assert.equal(line.micro_neurons, line.held_micro_neurons);
});

/** Reads one chunk and goes. */
async function leave(behaviour) {
  const { client, lines, key } = await aClient(served);
  const ask = { model: LLAMA, messages: scripted(behaviour), max_tokens: 40, stream: true };
  const stream = await client.chat.completions.create(ask);
  for await (const chunk of stream) {
    assert.ok(chunk.id);
    break; // the client aborts its request
  }
  const startedMs = Date.now();
  const [line, ...more] = await settled(lines, 40_000);
  assert.deepEqual(more, []);
  await assertInvariants(served.url, key);
  return { line, tookMs: Date.now() - startedMs };
}

// Real connections that are closed, and the real time until that is noticed and given up.
test("a client that leaves is charged once", { timeout: 240_000 }, async (t) => {
  const [ended, endless, silent] = await Promise.all(
    ["words=30&usage=12/30", "endless&pace=10", "words=30&stall=3"].map(leave),
  );
  t.diagnostic(`settled after ${ended.tookMs}, ${endless.tookMs} and ${silent.tookMs} ms`);
  // 12 * 13,778 + 30 * 26,128
  assert.equal(ended.line.micro_neurons, 949_176);
  for (const { line, tookMs } of [endless, silent]) {
    assert.equal(line.outcome, "posted");
    assert.equal(line.items[0].basis, "held");
    assert.equal(line.micro_neurons, line.held_micro_neurons);
    assert.ok(tookMs < 30_000, `${tookMs} ms`);
  }
});
