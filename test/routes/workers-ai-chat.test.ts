import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { makeTenant, type Reply, type TestTenant } from "../client.ts";
import { openStream, readStream } from "./streams.ts";

// Text generation on Workers AI's own surface, and OpenAI's routes below an account.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8"; // 13,778 in, 26,128 out; 40 and 8 tokens
const VISION = "@cf/meta/llama-3.2-11b-vision-instruct";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it"; // 9,091 in, 27,273 out; OpenAI's form
const SMALL = "@cf/baai/bge-small-en-v1.5";
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const TOOL = {
  type: "function",
  function: { name: "f", description: "f", parameters: { type: "object", properties: {} } },
};

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`run-chat-${made}`, settings);
};

afterEach(() => reset());

const pathOf = ({ id }: TestTenant, model: string): string =>
  `/client/v4/accounts/${id}/ai/run/${model}`;

const run = (tenant: TestTenant, model: string, body: object): Promise<Reply> =>
  tenant.onWorkersAi("POST", pathOf(tenant, model), body);

const marked = (behaviour: string): string => `[[fake:${behaviour}|${crypto.randomUUID()}]]`;

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

const inputsOf = async (match: string) => {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: readonly { inputs: Record<string, unknown> }[] = await (await fetch(url)).json();
  return requests.at(-1)?.inputs;
};

/** A stream read to its end, and settled. */
async function stream(tenant: TestTenant, model: string, body: object) {
  const opened = await openStream(tenant.key, body, { path: pathOf(tenant, model) });
  return { ...(await readStream(opened)), headers: opened.response.headers };
}

describe("text generation by an older model", () => {
  it("answers a prompt, at the tokens that it reports", async () => {
    const tenant = await aTenant();
    const prompt = marked("text=Hello there&usage=60/2");
    const reply = await run(tenant, LLAMA, { prompt, max_tokens: 10 });
    expect(reply.body).toMatchObject({ success: true, errors: [], messages: [] });
    expect(reply.body.result).toEqual({
      response: "Hello there",
      usage: {
        prompt_tokens: 60,
        completion_tokens: 2,
        total_tokens: 62,
        prompt_tokens_details: { cached_tokens: 0 },
      },
    });
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: 60 * 13_778 + 2 * 26_128,
      basis: "measured",
    });
    const [line] = await lines(tenant);
    expect(line.held_micro_neurons).toBe((prompt.length + 48) * 13_778 + 10 * 26_128);
  });

  it("is always told how much to write", async () => {
    const tenant = await aTenant({ default_max_tokens: 77 });
    const prompt = marked("ok");
    await run(tenant, LLAMA, { prompt, top_k: 5, repetition_penalty: 1.1, unknown: "x" });
    expect(await inputsOf(prompt)).toEqual({
      messages: [{ role: "user", content: prompt }],
      max_tokens: 77,
      top_k: 5,
      repetition_penalty: 1.1,
    });
  });

  it("calls tools, with arguments as what they say", async () => {
    const tenant = await aTenant();
    const tools = [{ name: "get_weather", parameters: { type: "object", properties: {} } }];
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: marked("tool=get_weather") },
      { role: "assistant", content: "", tool_calls: [{ name: "f", arguments: { a: 1 } }] },
      { role: "tool", name: "f", content: "3" },
    ];
    const reply = await run(tenant, LLAMA, { messages, tools });
    expect(reply.body.result).toMatchObject({
      response: null,
      tool_calls: [{ name: "get_weather", arguments: { city: "Paris" } }],
    });
  });

  it("gives what its JSON says in JSON mode, and is sent the bare schema", async () => {
    const tenant = await aTenant();
    const schema = { type: "object", properties: { a: { type: "number" } } };
    const prompt = marked('text={"a":1}');
    const response_format = { type: "json_schema", json_schema: schema };
    const reply = await run(tenant, LLAMA, { prompt, response_format });
    expect(reply.body.result.response).toEqual({ a: 1 });
    expect(await inputsOf(prompt)).toMatchObject({ response_format });
  });

  it("streams texts, then what was used, then the end", async () => {
    const tenant = await aTenant();
    const prompt = marked("text=Hello there you&usage=60/3");
    const { chunks, done, headers } = await stream(tenant, LLAMA, { prompt, max_tokens: 10 });
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(done).toBe(true);
    expect(chunks.map(({ response }) => response).join("")).toBe("Hello there you");
    expect(Object.keys(chunks[0])).toEqual(["response"]);
    const { usage, neurogate } = chunks.at(-1);
    expect(usage).toMatchObject({ prompt_tokens: 60, completion_tokens: 3 });
    expect(neurogate.micro_neurons).toBe(60 * 13_778 + 3 * 26_128);
    // Held while it runs: the header has that.
    const [line] = await lines(tenant);
    expect(headers.get("x-neurogate-micro-neurons")).toBe(String(line.held_micro_neurons));
    expect(line).toMatchObject({ outcome: "posted", micro_neurons: neurogate.micro_neurons });
  });

  it("streams the calls of tools whole", async () => {
    const tenant = await aTenant();
    const tools = [{ type: "function", function: { name: "get_weather" } }];
    const prompt = marked("tool=get_weather&calls=2");
    const { chunks } = await stream(tenant, LLAMA, { prompt, tools });
    const called = chunks.flatMap(({ tool_calls = [] }) => tool_calls);
    expect(called).toEqual([
      { name: "get_weather", arguments: { city: "Paris" } },
      { name: "get_weather", arguments: { city: "Paris" } },
    ]);
  });

  it("ends a stream that was cut with an error and no [DONE]", async () => {
    const tenant = await aTenant();
    const prompt = marked("words=9&cut=3");
    const { chunks, done } = await stream(tenant, LLAMA, { prompt });
    expect(chunks.at(-1)).toMatchObject({
      success: false,
      errors: [{ code: 3043, kind: "engine_failed" }],
    });
    expect(done).toBe(false);
    const [line] = await lines(tenant);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
  });

  it.each([
    [LLAMA, { success: false, errors: [{ code: 3043, kind: "engine_failed" }] }],
    [GEMMA, { error: { kind: "engine_failed" } }],
  ])("ends a stream without an answer with an error: %s", async (model, error) => {
    const tenant = await aTenant();
    const prompt = marked("only_usage&usage=12/5");
    const { chunks, done } = await stream(tenant, model, { prompt });
    expect(chunks).toMatchObject([error]);
    expect(done).toBe(false);
    const [line] = await lines(tenant);
    expect(line.items).toMatchObject([{ basis: "measured" }]);
  });

  it("sees a picture that stands beside the messages", async () => {
    const tenant = await aTenant();
    const prompt = marked("ok");
    const image = [...Uint8Array.fromBase64(PIXEL)];
    await run(tenant, VISION, { prompt, image });
    expect(await inputsOf(prompt)).toMatchObject({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: prompt },
            { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
          ],
        },
      ],
    });
    const blind = await run(tenant, LLAMA, { prompt, image });
    expect(blind.body.errors[0]).toMatchObject({ kind: "unbounded_usage", code: 3003 });
  });
});

describe("text generation by a newer model", () => {
  it("is in OpenAI's shape, in the envelope", async () => {
    const tenant = await aTenant();
    const messages = [{ role: "user", content: marked("text=Hello&usage=80/1") }];
    const reply = await run(tenant, GEMMA, { messages });
    expect(reply.body.result).toMatchObject({
      object: "chat.completion",
      model: GEMMA,
      choices: [{ message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 80, completion_tokens: 1 },
    });
    expect(reply.body.neurogate.micro_neurons).toBe(80 * 9091 + 27_273);
  });

  it("ends before a stop sequence, and thinks only if it is to", async () => {
    const tenant = await aTenant();
    const messages = [{ role: "user", content: marked("text=one two three&usage=80/3") }];
    const quiet = { stop: [" three"], chat_template_kwargs: { enable_thinking: false } };
    await run(tenant, GEMMA, { messages, ...quiet });
    // The newer models know the sequence themselves.
    expect(await inputsOf(messages[0]?.content ?? "")).toMatchObject(quiet);
    const prompt = marked("text=one two three&usage=80/3");
    const older = await run(tenant, LLAMA, { prompt, stop: " three" });
    expect(older.body.result.response).toBe("one two");
    expect(await inputsOf(prompt)).not.toHaveProperty("stop");
  });

  it("takes what changes nothing", async () => {
    const tenant = await aTenant();
    const reply = await run(tenant, GEMMA, {
      prompt: marked("text=Hello"),
      stop: [],
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      function_call: "auto",
      modalities: ["text"],
      verbosity: "medium",
      chat_template_kwargs: { enable_thinking: true },
      service_tier: "auto",
      stream_options: { include_usage: true },
    });
    expect(reply.status).toBe(200);
  });

  it("streams OpenAI's chunks", async () => {
    const tenant = await aTenant();
    const prompt = marked("text=Hello there&usage=80/2");
    const { chunks, done } = await stream(tenant, GEMMA, { prompt });
    expect(done).toBe(true);
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(["chat.completion.chunk"]));
    expect(chunks.at(-1).usage).toMatchObject({ prompt_tokens: 80, completion_tokens: 2 });
  });

  // Cloudflare's own LangChain package reads `usage` wherever there is such a key.
  it.each([
    [GEMMA, "a text", "text=Hello there", {}],
    ["@cf/zai-org/glm-4.7-flash", "a text", "text=Hello there", {}],
    [GEMMA, "a call of a tool", "tool=f", { tools: [TOOL] }],
    [GEMMA, "`stream_options`", "text=Hello", { stream_options: { include_usage: true } }],
    [LLAMA, "its own form", "text=Hello there", {}],
  ])("%s has no usage before the chunk that has it: %s", async (model, _, how, more) => {
    const tenant = await aTenant();
    const prompt = marked(`${how}&usage=80/2`);
    const body = { messages: [{ role: "user", content: prompt }], max_tokens: 20, ...more };
    const { chunks, done } = await stream(tenant, model, body);
    expect(done).toBe(true);
    expect(chunks.length).toBeGreaterThan(1);
    const having = chunks.filter((chunk) => "usage" in chunk);
    expect(having).toEqual([chunks.at(-1)]);
    expect(having[0].usage).toMatchObject({ prompt_tokens: 80, completion_tokens: 2 });
  });
});

const CALL = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
const called = (call: object) => ({ role: "assistant", content: null, tool_calls: [call] });
const withArguments = (given: unknown) =>
  called({ ...CALL, function: { name: "f", arguments: given } });
const DATA_URI = `data:image/png;base64,${PIXEL}`;

describe("a history", () => {
  it.each<[object, object]>([
    [withArguments({ a: 1 }), withArguments('{"a":1}')],
    [withArguments(""), withArguments("{}")],
    [{ role: "assistant", content: [], tool_calls: [CALL] }, called(CALL)],
    [
      { role: "assistant", content: [{ type: "thinking", thinking: "hm" }] },
      { role: "assistant", content: "" },
    ],
    [
      { role: "tool", tool_call_id: "c", content: null },
      { role: "tool", tool_call_id: "c", content: "" },
    ],
    [called({ id: "c", function: CALL.function }), called(CALL)],
    [called({ name: "f", arguments: {} }), called({ ...CALL, id: "call_0" })],
    [called({ ...CALL, id: "c".repeat(512) }), called({ ...CALL, id: "c".repeat(512) })],
    [
      { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      { role: "assistant", content: [{ type: "text", text: "No." }] },
    ],
    [
      { role: "assistant", content: [{ type: "thinking", thinking: "hm" }, "Yes."] },
      { role: "assistant", content: [{ type: "text", text: "Yes." }] },
    ],
    [
      { role: "user", name: "", content: [{ type: "image_url", image_url: DATA_URI }] },
      { role: "user", content: [{ type: "image_url", image_url: { url: DATA_URI } }] },
    ],
    [
      { role: "function", name: "f", content: "4" },
      { role: "tool", content: "4", tool_call_id: "f" },
    ],
    [
      { role: "tool", name: "f", content: "4" },
      { role: "tool", content: "4", name: "f" },
    ],
  ])("is taken as other providers write it: %j", async (sent, read) => {
    const tenant = await aTenant();
    const asked = { role: "user", content: marked("text=Yes") };
    const reply = await run(tenant, GEMMA, { messages: [sent, asked] });
    expect(reply.status).toBe(200);
    expect((await inputsOf(asked.content))?.["messages"]).toEqual([read, asked]);
  });

  it.each<[object, string]>([
    [withArguments('{"a":'), "/tool_calls/0/function/arguments"],
    [withArguments("[1]"), "/tool_calls/0/function/arguments"],
    [called({ name: "f", arguments: [1] }), "/tool_calls/0/function/arguments"],
    [called({ ...CALL, id: "c".repeat(513) }), "/tool_calls/0/id"],
    [{ role: "user", content: null }, "/content"],
  ])("with %j is refused by name", async (message, field) => {
    const tenant = await aTenant();
    const reply = await run(tenant, GEMMA, { messages: [message] });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].source.pointer).toBe(`/messages/0${field}`);
  });

  it("has tools without a type, with all that they say", async () => {
    const tenant = await aTenant();
    const asked = { role: "user", content: marked("text=Yes") };
    const declared = { ...TOOL.function, strict: true };
    const tools = [{ function: declared }, { name: "g", parameters: [] }];
    const reply = await run(tenant, GEMMA, { messages: [asked], tools });
    expect(reply.status).toBe(200);
    expect((await inputsOf(asked.content))?.["tools"]).toEqual([
      { type: "function", function: declared },
      { type: "function", function: { name: "g", parameters: {} } },
    ]);
  });
});

describe("a name that the catalogue does not have", () => {
  it("is an alias where it is asked like a language model", async () => {
    const tenant = await aTenant({ aliases: { "gpt-4o": LLAMA, embed: SMALL } });
    const reply = await run(tenant, "gpt-4o", { prompt: marked("text=Yes") });
    expect(reply.body.result.response).toBe("Yes");
    expect(reply.body.neurogate.priced_as).toBe(LLAMA);
    const wrong = await run(tenant, "embed", { prompt: "a" });
    expect(wrong.status).toBe(400);
    const unknown = await run(tenant, "no-such-model", { prompt: "a" });
    expect([unknown.status, unknown.body.errors[0].code]).toEqual([404, 5007]);
  });

  it("is its own task's where the catalogue has it, whatever it stands for", async () => {
    const tenant = await aTenant({ aliases: { "@cf/meta/llama-2-7b-chat-int8": LLAMA } });
    const retired = "@cf/meta/llama-2-7b-chat-int8";
    const reply = await run(tenant, retired, { prompt: marked("text=Yes") });
    expect(reply.body.result.response).toBe("Yes");
    const other = await aTenant();
    const refused = await run(other, retired, { prompt: "a" });
    expect([refused.status, refused.body.errors[0].kind]).toEqual([404, "model_retired"]);
  });
});

describe("what is wrong with a chat", () => {
  it.each([
    [{}, "/prompt", "invalid_request"],
    [{ prompt: "" }, "/prompt", "invalid_request"],
    [{ messages: [] }, "/messages", "invalid_request"],
    [{ messages: [{ role: "robot", content: "a" }] }, "/messages/0/role", "invalid_request"],
    [{ messages: [{ role: "user", content: 5 }] }, "/messages/0/content", "invalid_request"],
    [{ prompt: "a", max_tokens: 1e12 }, "/max_tokens", "invalid_request"],
    [{ prompt: "a", max_tokens: 0 }, "/max_tokens", "invalid_request"],
    [{ prompt: "a", stream: "yes" }, "/stream", "invalid_request"],
    [{ prompt: "a", image: [0, 1] }, "/image", "invalid_request"],
    [{ prompt: "a", raw: true }, "/raw", "unsupported_parameter"],
    [{ prompt: "a", top_logprobs: 2 }, "/top_logprobs", "invalid_request"],
    [{ prompt: "a", logprobs: true, top_logprobs: 21 }, "/top_logprobs", "invalid_request"],
    [{ prompt: "a", logprobs: true, max_tokens: 32_769 }, "/logprobs", "invalid_request"],
    [{ prompt: "a", tool_choice: "required" }, "/tool_choice", "invalid_request"],
    [{ prompt: "a", logit_bias: { 7: -100 } }, "/logit_bias", "unsupported_parameter"],
    [{ prompt: "a", function_call: { name: "f" } }, "/function_call", "unsupported_parameter"],
    [{ prompt: "a", audio: {} }, "/audio", "unsupported_parameter"],
    [{ prompt: "a", modalities: ["audio"] }, "/modalities", "unsupported_parameter"],
    [{ prompt: "a", web_search_options: {} }, "/web_search_options", "unsupported_parameter"],
    [{ prompt: "a", verbosity: "low" }, "/verbosity", "unsupported_parameter"],
    [
      { prompt: "a", chat_template_kwargs: { clear_thinking: true } },
      "/chat_template_kwargs",
      "unsupported_parameter",
    ],
    [{ prompt: "a", lora: "x" }, "/lora", "unsupported_parameter"],
    [{ prompt: "a", n: 5 }, "/n", "unsupported_parameter"],
    [{ prompt: "a", functions: [{ name: "f" }] }, "/functions", "unsupported_parameter"],
  ])("%j", async (body, pointer, kind) => {
    const tenant = await aTenant();
    const reply = await run(tenant, LLAMA, body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind, source: { pointer } });
    expect(await lines(tenant)).toEqual([]);
  });
});

describe("a number that is too long to be exact", () => {
  it("is refused with the range that it has", async () => {
    const tenant = await aTenant();
    const reply = await run(tenant, LLAMA, { prompt: "a", max_tokens: 2 ** 63 });
    expect(reply.body.errors[0].message).toContain("must be at most 1048576");
  });
});

describe("with the embedded engine", () => {
  it("quotes the prompt, and says who wrote it", async () => {
    const tenant = await aTenant();
    const body = { prompt: "The sky is blue.", max_tokens: 10 };
    const reply = await tenant.call("POST", pathOf(tenant, LLAMA), body);
    expect(reply.body.result.response).toBe("The sky is blue.");
    expect(reply.body.neurogate.model).toMatch(/^neurogate\//);
  });
});

const base = ({ id }: TestTenant): string => `/client/v4/accounts/${id}/ai/v1`;

describe("OpenAI's routes below an account", () => {
  it("are the same, one ledger and one set of idempotency keys with them", async () => {
    const tenant = await aTenant();
    const body = { model: SMALL, input: "hello" };
    const key = { "Idempotency-Key": "b1" };
    const there = await tenant.call("POST", `${base(tenant)}/embeddings`, body, key);
    expect(there.status).toBe(200);
    const here = await tenant.call("POST", "/v1/embeddings", body, key);
    expect(here.body).toEqual(there.body);
    expect(here.headers.get("idempotency-replayed")).toBe("true");
    expect(await lines(tenant)).toMatchObject([{ route: "POST /v1/embeddings" }]);
  });

  it("fail in OpenAI's shape", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", `${base(tenant)}/chat/completions`, { model: LLAMA });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ param: "messages", type: "invalid_request_error" });
    const other = await aTenant();
    const closed = await tenant.call("GET", `${base(other)}/models`);
    expect(closed.status).toBe(401);
    expect(closed.body.error.code).toBe("invalid_api_key");
  });
});
