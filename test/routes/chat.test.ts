import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ask, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";
import { openStream, readStream } from "./streams.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8"; // 13,778 in, 26,128 out; 40 and 8 tokens
const GEMMA = "@cf/google/gemma-4-26b-a4b-it"; // 9,091 in, 27,273 out; 64 and 16; OpenAI's form
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`chat-${made}`, settings);
};

afterEach(() => reset());

const path = "/v1/chat/completions";
const user = (content: unknown) => ({ role: "user", content });
const TOOL = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: {} } },
};

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

describe("POST /v1/chat/completions with the embedded engine", () => {
  const STORY =
    "The harbour of Ostrel freezes every winter. Its fishermen mend their nets then. " +
    "In spring the ice breaks and the boats go out. The mayor keeps a red parrot.";

  it("quotes the sentences that answer best, and says that it is a stand-in", async () => {
    const tenant = await aTenant();
    const messages = [
      { role: "developer", content: STORY },
      user([{ type: "text", text: "When do the boats go out?" }]),
    ];
    const reply = await tenant.call("POST", path, { model: LLAMA, messages });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: "chat.completion",
      model: LLAMA,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "In spring the ice breaks and the boats go out.",
            refusal: null,
          },
          finish_reason: "stop",
        },
      ],
      neurogate: { engine: "embedded", model: "neurogate/extract@1", stand_in: true },
    });
    expect(reply.headers.get("openai-processing-ms")).toMatch(/^\d+$/);
    expect(reply.headers.get("x-ratelimit-limit-requests")).toBe("300");
  });

  it("costs the estimate of what was read and written, within what was held", async () => {
    const tenant = await aTenant();
    const body = { model: LLAMA, messages: [user("The sky is blue.")], max_tokens: 10 };
    const reply = await tenant.call("POST", path, body);
    // Held: 16 bytes and 40 + 8 tokens are 64 at 13,778, and 10 at 26,128. Estimated: 48 + 8 = 56
    // tokens read; the 16 bytes of the quoted sentence are 8 written.
    expect(reply.body.usage).toEqual({
      prompt_tokens: 56,
      completion_tokens: 8,
      total_tokens: 64,
      prompt_tokens_details: { cached_tokens: 0 },
    });
    const charged = 56 * 13_778 + 8 * 26_128;
    expect(reply.body.neurogate).toMatchObject({ micro_neurons: charged, basis: "estimated" });
    expect(await lines(tenant)).toMatchObject([
      {
        route: "POST /v1/chat/completions",
        held_micro_neurons: 64 * 13_778 + 10 * 26_128,
        micro_neurons: charged,
        items: [{ stage: "generate", engine: "embedded", priced_as: LLAMA }],
      },
    ]);
  });

  it("keeps to max_tokens and says that it was cut", async () => {
    const tenant = await aTenant();
    const body = { model: LLAMA, messages: [user(STORY)], max_completion_tokens: 6 };
    const reply = await tenant.call("POST", path, body);
    expect(reply.body.choices[0]).toMatchObject({
      message: { content: "The harbour" },
      finish_reason: "length",
    });
    expect(reply.body.usage.completion_tokens).toBeLessThanOrEqual(6);
  });

  it("answers n times, each of which reads the prompt", async () => {
    const tenant = await aTenant();
    const once = { model: LLAMA, messages: [user("The sky is blue.")], max_tokens: 10 };
    const one = await tenant.call("POST", path, once);
    const three = await tenant.call("POST", path, { ...once, n: 3 });
    expect(three.body.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
    expect(three.body.neurogate.micro_neurons).toBe(3 * one.body.neurogate.micro_neurons);
    const [last, first] = await lines(tenant);
    expect(last.held_micro_neurons).toBe(3 * first.held_micro_neurons);
  });

  it("ends before a stop sequence", async () => {
    const tenant = await aTenant();
    const body = { model: LLAMA, messages: [user("One two three four.")], stop: ["three", "zzz"] };
    const reply = await tenant.call("POST", path, body);
    expect(reply.body.choices[0]).toMatchObject({
      message: { content: "One two " },
      finish_reason: "stop",
    });
  });

  it("writes JSON, and fills a schema from the prompt", async () => {
    const tenant = await aTenant();
    const chat = async (response_format: unknown) => {
      const body = {
        model: LLAMA,
        messages: [user("Ann is 41. What is her age?")],
        response_format,
      };
      const reply = await tenant.call("POST", path, body);
      return JSON.parse(reply.body.choices[0].message.content);
    };
    expect(await chat({ type: "json_object" })).toEqual({ answer: "Ann is 41." });
    const schema = {
      type: "object",
      properties: {
        age: { type: "integer" },
        who: { enum: ["Bob", "Ann"] },
        quotes: { type: "array", items: { type: "string" } },
      },
      required: ["age", "who", "quotes"],
      additionalProperties: false,
    };
    const json_schema = { name: "age", strict: true, schema };
    expect(await chat({ type: "json_schema", json_schema })).toEqual({
      age: 41,
      who: "Ann",
      quotes: ["Ann is 41."],
    });
  });

  it.each([
    ["tool_choice", { tools: [TOOL], tool_choice: "required" }],
    [
      "response_format",
      {
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "x",
            schema: {
              type: "object",
              properties: { a: { $ref: "#/$defs/none" } },
              required: ["a"],
            },
          },
        },
      },
    ],
  ])("does not pretend to honour %s", async (parameter, more) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, {
      model: LLAMA,
      messages: [user("hi")],
      ...more,
    });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ kind: "unsupported_parameter", param: parameter });
    expect(await lines(tenant)).toMatchObject([{ outcome: "voided", micro_neurons: 0 }]);
  });

  it("does not see pictures, and says so", async () => {
    const tenant = await aTenant();
    const parts = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: PIXEL } },
    ];
    const reply = await tenant.call("POST", path, { model: GEMMA, messages: [user(parts)] });
    expect(reply.status).toBe(501);
    expect(reply.body.error).toMatchObject({
      kind: "engine_unsupported",
      message:
        "The local stand-in sees no pictures. Set INFERENCE=workers-ai or INFERENCE=openai for an engine that can.",
    });
  });

  it("says which keyword of a schema it cannot fill, and where", async () => {
    const tenant = await aTenant();
    const schema = {
      type: "object",
      properties: { sku: { type: "string", pattern: "^[A-Z]$" } },
      required: ["sku"],
    };
    const response_format = { type: "json_schema", json_schema: { name: "a", schema } };
    const body = { model: LLAMA, messages: [user("Hello there.")], response_format };
    for (const stream of [false, true]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.call("POST", path, { ...body, stream });
      expect(reply.status).toBe(400);
      expect(reply.body.error).toMatchObject({ param: "response_format" });
      expect(reply.body.error.message).toMatch(
        /^response_format: the local stand-in cannot fill pattern at #\/properties\/sku of the schema\. Set INFERENCE/,
      );
    }
  });

  it("says in headers what it does otherwise than it was asked", async () => {
    const tenant = await aTenant();
    const body = { model: LLAMA, messages: [user("Hello there.")] };
    const told = async (more: object) => {
      const { status, headers } = await tenant.call("POST", path, { ...body, ...more });
      expect(status).toBe(200);
      return [headers.get("x-neurogate-store"), headers.get("x-neurogate-reasoning-effort")];
    };
    expect(await told({ store: true, reasoning_effort: "xhigh" })).toEqual(["false", "high"]);
    expect(await told({ store: true, stream: true })).toEqual(["false", null]);
    expect(await told({ store: false, reasoning_effort: "high" })).toEqual([null, null]);
    const run = await tenant.call("POST", `/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`, {
      prompt: "Hello there.",
      reasoning_effort: "max",
    });
    expect([run.status, run.headers.get("x-neurogate-reasoning-effort")]).toEqual([200, "high"]);
    const wrong = await tenant.call("POST", path, { ...body, reasoning_effort: "banana" });
    expect([wrong.status, wrong.body.error.param]).toEqual([400, "reasoning_effort"]);
  });

  it("is kept for a repeated idempotency key, and charged once", async () => {
    const tenant = await aTenant();
    const chat = () =>
      tenant.call(
        "POST",
        path,
        { model: LLAMA, messages: [user("Good morning, harbour.")] },
        { "Idempotency-Key": "c1" },
      );
    const first = await chat();
    const again = await chat();
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await lines(tenant)).toHaveLength(1);
  });

  it("is cut to what is left under x-neurogate-fit, and then really within it", async () => {
    // 1.2 N: 64 tokens of 13,778 are 881,792; 318,208 are left, 12 tokens of 26,128.
    const tenant = await aTenant({ daily_neurons: 1.2 });
    const body = { model: LLAMA, messages: [user("The sky is blue.")], max_tokens: 500 };
    const refused = await tenant.call("POST", path, body);
    expect([refused.status, refused.body.error.kind]).toEqual([400, "over_limit"]);
    const reply = await tenant.call("POST", path, body, { "x-neurogate-fit": "true" });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("x-neurogate-clamped-max-tokens")).toBe("12");
    const [line] = await lines(tenant);
    expect(line.held_micro_neurons).toBe(64 * 13_778 + 12 * 26_128);
    const whole = await aTenant();
    const fits = await whole.call("POST", path, body, { "x-neurogate-fit": "true" });
    expect(fits.headers.get("x-neurogate-clamped-max-tokens")).toBeNull();
  });
});

describe("what /v1/chat/completions refuses", () => {
  const message = user("hi");
  it.each<[string, unknown, string]>([
    ["no model", { messages: [message] }, "model"],
    ["no messages", { model: LLAMA }, "messages"],
    ["an empty conversation", { model: LLAMA, messages: [] }, "messages"],
    ["a text as messages", { model: LLAMA, messages: "hi" }, "messages"],
    ["another role", { messages: [{ role: "robot", content: "hi" }] }, "messages[0].role"],
    ["a number as content", { messages: [user(7)] }, "messages[0].content"],
    [
      "a part of another kind",
      { messages: [user([{ type: "input_audio", input_audio: { data: "", format: "wav" } }])] },
      "messages[0].content[0].type",
    ],
    [
      "a file",
      { messages: [user([{ type: "file", file: { file_id: "file-1" } }])] },
      "messages[0].content[0].type",
    ],
    [
      "a picture of the system's",
      {
        messages: [{ role: "system", content: [{ type: "image_url", image_url: { url: PIXEL } }] }],
      },
      "messages[0].content[0].type",
    ],
    [
      "a tool's answer to no call",
      { messages: [{ role: "tool", content: "hi" }] },
      "messages[0].tool_call_id",
    ],
    [
      "a picture that is none",
      {
        messages: [user([{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }])],
      },
      "messages[0].content[0].image_url.url",
    ],
    [
      "a picture over http",
      { messages: [user([{ type: "image_url", image_url: { url: "http://a.org/a.png" } }])] },
      "messages[0].content[0].image_url.url",
    ],
    [
      "nine pictures",
      {
        messages: [
          user(Array.from({ length: 9 }, () => ({ type: "image_url", image_url: { url: PIXEL } }))),
        ],
      },
      "messages",
    ],
    ["n over 8", { n: 9 }, "n"],
    ["n of 0", { n: 0 }, "n"],
    [
      "arguments that were cut off",
      {
        messages: [
          message,
          {
            role: "assistant",
            tool_calls: [{ id: "c", function: { name: "f", arguments: '{"city":"Par' } }],
          },
          { role: "tool", tool_call_id: "c", content: "4" },
        ],
      },
      "messages[1].tool_calls[0].function.arguments",
    ],
    ["absurd max_tokens", { max_tokens: 1e12 }, "max_tokens"],
    ["max_completion_tokens of 0", { max_completion_tokens: 0 }, "max_completion_tokens"],
    [
      "stream_options without a stream",
      { stream_options: { include_usage: true } },
      "stream_options",
    ],
    ["a hot temperature", { temperature: 2.1 }, "temperature"],
    ["five stops", { stop: ["a", "b", "c", "d", "e"] }, "stop"],
    ["a custom tool", { tools: [{ type: "custom", custom: { name: "a" } }] }, "tools[0].type"],
    ["a choice without tools", { tool_choice: "required" }, "tool_choice"],
    ["another response format", { response_format: { type: "xml" } }, "response_format.type"],
    ["logit_bias", { logit_bias: { 50256: -100 } }, "logit_bias"],
    ["functions", { functions: [{ name: "a" }] }, "functions"],
    ["an audio answer", { modalities: ["text", "audio"] }, "modalities"],
    ["a web search", { web_search_options: {} }, "web_search_options"],
    ["a verbosity", { verbosity: "low" }, "verbosity"],
    ["the text of a response", { text: { verbosity: "low" } }, "text"],
    [
      "padded events",
      { stream: true, stream_options: { include_obfuscation: true } },
      "stream_options.include_obfuscation",
    ],
    [
      "pictures for a model that takes none",
      { model: LLAMA, messages: [user([{ type: "image_url", image_url: { url: PIXEL } }])] },
      "",
    ],
    ["a classifier", { model: "@cf/huggingface/distilbert-sst-2-int8" }, "model"],
  ])("%s, naming the field", async (_, body, param) => {
    const tenant = await aTenant();
    const whole =
      _.startsWith("no ") || _.includes("conversation")
        ? body
        : { model: LLAMA, messages: [message], ...(body as object) };
    const reply = await tenant.call("POST", path, whole);
    expect(reply.status).toBe(400);
    expect(reply.body.error.param ?? "").toBe(param);
    expect(reply.body.error.type).toBe("invalid_request_error");
    expect(await lines(tenant)).toEqual([]);
  });

  it("models that are not there, retired ones with what to use instead", async () => {
    const tenant = await aTenant();
    const chat = (model: string) => tenant.call("POST", path, { model, messages: [message] });
    expect((await chat("gpt-4o")).body.error).toMatchObject({
      code: "model_not_found",
      param: "model",
    });
    const retired = await chat("@cf/meta/llama-3.1-8b-instruct");
    expect([retired.status, retired.body.error.kind]).toEqual([404, "model_retired"]);
  });

  it("nothing that it can ignore without harm", async () => {
    const tenant = await aTenant();
    const body = {
      model: LLAMA,
      messages: [{ ...message, name: null, cache_control: { type: "ephemeral" } }],
      store: true,
      metadata: { a: "b" },
      service_tier: "auto",
      prompt_cache_key: "a",
      prompt_cache_options: {},
      prompt_cache_retention: "24h",
      safety_identifier: "anna",
      verbosity: "medium",
      prediction: { type: "content", content: "hi" },
      logprobs: false,
      logit_bias: {},
      modalities: ["text"],
      tools: [],
      temperature: null,
      stop: null,
      n: null,
      stream: null,
      stream_options: null,
      max_tokens: null,
      unheard_of: true,
    };
    expect((await tenant.call("POST", path, body)).status).toBe(200);
  });
});

interface Asked {
  readonly model: string;
  readonly inputs: Record<string, unknown>;
}

describe("what changes nothing", () => {
  it.each([
    { stop: [], functions: [], function_call: "auto", top_logprobs: 0, logprobs: null, user: "" },
    { tool_choice: "auto", tools: [], parallel_tool_calls: null, response_format: null },
    { tools: [{ type: "function", function: { name: "f", description: null, strict: null } }] },
  ])("is taken: %j", async (more) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, {
      model: LLAMA,
      messages: [user("hello")],
      ...more,
    });
    expect([reply.status, reply.body.error?.message]).toEqual([200, undefined]);
  });
});

async function inputsAbout(match: string): Promise<Record<string, unknown>> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: Asked[] = await (await fetch(url)).json();
  return requests[0]?.inputs ?? {};
}

describe("POST /v1/chat/completions with Workers AI", () => {
  const chat = async (
    behaviour: string,
    more: object = {},
  ): Promise<Reply & { id: string; tenant: TestTenant }> => {
    const tenant = await aTenant();
    const id = unique();
    const content = `[[fake:${behaviour}|${id}]]`;
    const body = { model: LLAMA, messages: [user(content)], max_tokens: 20, ...more };
    return { ...(await tenant.onWorkersAi("POST", path, body)), id, tenant };
  };

  it.each([
    // 12 * 13,778 + 5 * 26,128 and 12 * 9,091 + 5 * 27,273
    [LLAMA, 295_976],
    [GEMMA, 245_457],
  ])("gives what %s gave, at the tokens that it reports", async (model, price) => {
    const reply = await chat("text=Hello there&usage=12/5", { model });
    expect(reply.body.choices[0]).toMatchObject({
      message: { content: "Hello there" },
      finish_reason: "stop",
    });
    expect(reply.body.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5 });
    expect(reply.body.neurogate).toEqual({
      micro_neurons: price,
      basis: "measured",
      engine: "workers-ai",
      model,
      priced_as: model,
      request_id: reply.headers.get("x-request-id"),
      stand_in: false,
    });
    expect(await lines(reply.tenant)).toMatchObject([{ micro_neurons: price }]);
  });

  it("takes 0 as what was used, and the bound where nothing was reported", async () => {
    const zero = await chat("zero_usage");
    expect(zero.body.neurogate).toMatchObject({ micro_neurons: 0, basis: "measured" });
    const none = await chat("no_usage");
    const [line] = await lines(none.tenant);
    expect(none.body.neurogate.basis).toBe("held");
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
  });

  it("tells no model to write more than its window, which is what is held", async () => {
    const tenant = await aTenant();
    const id = unique();
    const model = "@cf/qwen/qwen3-30b-a3b-fp8"; // 4,625 in, 30,475 out; 32,768 tokens
    const messages = [user(`[[fake:ok|${id}]]`)];
    const body = { model, messages, max_tokens: 1_000_000 };
    expect((await tenant.onWorkersAi("POST", path, body)).status).toBe(200);
    expect(await inputsAbout(id)).toMatchObject({ max_tokens: 32_768 });
    const [line] = await lines(tenant);
    const read = messages[0]?.content as string;
    expect(line.held_micro_neurons).toBe((read.length + 64 + 16) * 4625 + 32_768 * 30_475);
  });

  it("gives tool calls in OpenAI's form, whichever the model's is", async () => {
    for (const model of [LLAMA, GEMMA]) {
      // oxlint-disable-next-line no-await-in-loop -- two
      const reply = await chat("tool=get_weather&calls=2", { model, tools: [TOOL] });
      const [choice] = reply.body.choices;
      expect(choice.finish_reason).toBe("tool_calls");
      expect(choice.message.content).toBeNull();
      expect(choice.message.tool_calls).toMatchObject([
        { type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
        { id: expect.stringMatching(/^call_/) },
      ]);
    }
  });

  it("shows what a model thought", async () => {
    const reply = await chat("reasoning=1", { model: GEMMA });
    expect(reply.body.choices[0].message.reasoning_content).toBe("Let me think.");
  });

  it("says that an answer was cut, also where the model does not", async () => {
    const reply = await chat("usage=12/20");
    expect(reply.body.choices[0].finish_reason).toBe("length");
  });

  it("asks each model in its own form, with nothing that could cost more", async () => {
    const json_schema = { name: "a", schema: { type: "object" } };
    const more = {
      temperature: 0.5,
      seed: 7,
      tools: [TOOL],
      response_format: { type: "json_schema", json_schema },
      service_tier: "priority",
      lora: "mine",
    };
    const older = await inputsAbout((await chat("ok", more)).id);
    expect(older).toMatchObject({ max_tokens: 20, temperature: 0.5, seed: 7, tools: [TOOL] });
    expect(older["response_format"]).toEqual({
      type: "json_schema",
      json_schema: { type: "object" },
    });
    const newer = await inputsAbout(
      (await chat("ok", { ...more, model: GEMMA, stop: "x", reasoning_effort: "none" })).id,
    );
    expect(newer).toMatchObject({
      max_tokens: 20,
      stop: "x",
      response_format: { type: "json_schema", json_schema },
      chat_template_kwargs: { enable_thinking: false },
    });
    for (const inputs of [older, newer]) {
      expect(inputs).not.toHaveProperty("service_tier");
      expect(inputs).not.toHaveProperty("lora");
      expect(inputs).not.toHaveProperty("n");
    }
  });

  it("tells an older model of calls that were made as of what was said", async () => {
    const id = unique();
    const tenant = await aTenant();
    const messages = [
      user(`[[fake:ok|${id}]]`),
      {
        role: "assistant",
        content: null,
        refusal: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "now", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: [{ type: "text", text: "noon" }] },
    ];
    const reply = await tenant.onWorkersAi("POST", path, { model: LLAMA, messages, tools: [TOOL] });
    expect(reply.status).toBe(200);
    expect((await inputsAbout(id))["messages"]).toEqual([
      expect.anything(),
      { role: "assistant", content: '{"name":"now","arguments":"{}"}' },
      { role: "tool", tool_call_id: "call_1", content: "noon" },
    ]);
  });

  it.each([
    ["tool_choice", { tools: [TOOL], tool_choice: "required" }],
    ["parallel_tool_calls", { tools: [TOOL], parallel_tool_calls: false }],
  ])("refuses %s for a model that knows no such thing", async (parameter, more) => {
    const reply = await chat("ok", more);
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ kind: "unsupported_parameter", param: parameter });
    expect(await lines(reply.tenant)).toMatchObject([{ outcome: "voided" }]);
  });

  it("ends before a stop sequence also where the model knows no such thing", async () => {
    const reply = await chat("text=one two three&usage=12/5", { stop: [" three", "zz"] });
    expect(reply.body.choices[0]).toMatchObject({
      message: { content: "one two" },
      finish_reason: "stop",
    });
    expect(await inputsAbout(reply.id)).not.toHaveProperty("stop");
    // What was written behind it was written.
    expect(reply.body.neurogate.micro_neurons).toBe(295_976);
  });

  it("sends pictures as they came, and holds the most that each can be", async () => {
    const tenant = await aTenant();
    const id = unique();
    const parts = [
      { type: "text", text: `[[fake:text=A pixel&usage=9/3|${id}]]` },
      { type: "image_url", image_url: { url: PIXEL, detail: "low" } },
    ];
    const body = { model: GEMMA, messages: [user(parts)], max_tokens: 20 };
    const reply = await tenant.onWorkersAi("POST", path, body);
    expect(reply.body.choices[0].message.content).toBe("A pixel");
    const [message] = (await inputsAbout(id))["messages"] as { content: unknown[] }[];
    expect(message?.content[1]).toEqual({ type: "image_url", image_url: { url: PIXEL } });
    const [line] = await lines(tenant);
    // Two parts are set off by 2 tokens; the template is 64, a message 16, a picture 1,122.
    const read = parts[0]?.text?.length ?? 0;
    expect(line.held_micro_neurons).toBe((read + 2 + 64 + 16 + 1122) * 9091 + 20 * 27_273);
  });

  it.each([
    ["3040", 503, "engine_busy", "voided"],
    ["5007", 502, "engine_failed", "voided"],
    ["3036", 429, "account_quota_exceeded", "voided"],
    ["500", 502, "engine_failed", "posted"],
    ["3007", 504, "engine_timeout", "posted"],
    ["drop", 502, "engine_failed", "posted"],
    ["malformed", 502, "engine_failed", "posted"],
    ["bad_text&no_usage", 502, "engine_failed", "posted"],
    ["tool=x&bad_calls&no_usage", 502, "engine_failed", "posted"],
  ])("tells of %s, and charges what may have run", async (behaviour, status, kind, outcome) => {
    const reply = await chat(behaviour);
    expect(reply.status).toBe(status);
    expect(reply.body.error.kind).toBe(kind);
    const [line] = await lines(reply.tenant);
    expect(line.outcome).toBe(outcome);
    expect(line.micro_neurons).toBe(outcome === "voided" ? 0 : line.held_micro_neurons);
  });

  it.each(["length", "content_filter"])(
    "is an answer where it ends for %s before a word",
    async (finish) => {
      const reply = await chat(`null_text&finish=${finish}&usage=12/5`, { model: GEMMA });
      expect(reply.status).toBe(200);
      expect(reply.body.choices).toMatchObject([
        { message: { content: null }, finish_reason: finish },
      ]);
      const messages = [user(`[[fake:text=&finish=${finish}&usage=12/5|${unique()}]]`)];
      const opened = await openStream(reply.tenant.key, { model: GEMMA, messages });
      expect(opened.response.status).toBe(200);
      const stream = await readStream(opened);
      expect(stream.raw).toContain(`"finish_reason":"${finish}"`);
      expect(stream.done).toBe(true);
      const nothing = await chat("null_text&finish=stop&usage=12/5", { model: GEMMA });
      expect(nothing.status).toBe(502);
    },
  );

  it("charges what was reported, also where the answer is of no use", async () => {
    for (const behaviour of ["no_choices", "bad_choices", "two_choices"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await chat(`${behaviour}&usage=12/5`, { model: GEMMA });
      expect(reply.status).toBe(502);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await lines(reply.tenant))[0].micro_neurons).toBe(245_457);
    }
  });

  it("charges the answers that were given where one of several failed", async () => {
    const reply = await chat("text=a&usage=12/5,500", { n: 2 });
    expect(reply.status).toBe(502);
    const [line] = await lines(reply.tenant);
    expect(line.micro_neurons).toBe(295_976 + line.held_micro_neurons / 2);
    expect(line.items).toMatchObject([{ basis: "held" }]);
  });

  it("asks the fallback when the model was refused before it ran, at its price", async () => {
    const tenant = await aTenant({ fallbacks: { [LLAMA]: [GEMMA] } });
    const id = unique();
    const messages = [user(`[[fake:3040,3040,usage=12/5|${id}]]`)];
    const reply = await tenant.onWorkersAi("POST", path, { model: LLAMA, messages });
    expect(reply.body.model).toBe(GEMMA);
    expect(reply.body.neurogate.micro_neurons).toBe(245_457);
    expect(await askedAbout(id)).toEqual([LLAMA, LLAMA, GEMMA]);
  });
});

describe("POST /v1/chat/completions with an OpenAI-compatible server", () => {
  const server = {
    INFERENCE: "openai",
    OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
    OPENAI_MODELS: JSON.stringify({ [GEMMA]: "gemma3" }),
    OPENAI_MODEL: "llama3",
  };

  const chat = async (behaviour: string, more: object = {}) => {
    const tenant = await aTenant();
    const content = `[[fake:${behaviour}|${unique()}]]`;
    const body = { model: GEMMA, messages: [user(content)], max_tokens: 20, ...more };
    return ask("POST", path, { key: tenant.key, body, env: server });
  };

  it("asks the model that stands in, at the tokens that it reports", async () => {
    const reply = await chat("text=Hello&usage=12/5");
    expect(reply.body.choices[0].message.content).toBe("Hello");
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: 245_457,
      engine: "openai",
      model: "gemma3",
      priced_as: GEMMA,
    });
  });

  it("asks the default model for text, and none for pictures that it was not named for", async () => {
    const text = await chat("text=Hello", { model: LLAMA });
    expect(text.body.neurogate.model).toBe("llama3");
    const picture = { type: "image_url", image_url: { url: PIXEL } };
    const messages = [user([picture])];
    const scout = "@cf/meta/llama-4-scout-17b-16e-instruct";
    expect((await chat("ok", { model: scout, messages })).status).toBe(501);
    expect((await chat("ok", { messages })).status).toBe(200);
  });

  it("passes what only the server can honour", async () => {
    const id = unique();
    const tenant = await aTenant();
    const body = {
      model: GEMMA,
      messages: [user(`[[fake:tool=get_weather|${id}]]`)],
      tools: [TOOL],
      tool_choice: { type: "function", function: { name: "get_weather" } },
      parallel_tool_calls: false,
      stop: ["x"],
      n: 2,
    };
    const reply = await ask("POST", path, { key: tenant.key, body, env: server });
    expect(reply.body.choices).toHaveLength(2);
    const inputs = await inputsAbout(id);
    expect(inputs).toMatchObject({
      model: "gemma3",
      tool_choice: body.tool_choice,
      parallel_tool_calls: false,
      stop: ["x"],
    });
    expect(inputs).not.toHaveProperty("n");
  });
});
