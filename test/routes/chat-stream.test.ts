import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, readStream, type StreamOptions, textIn } from "./streams.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8"; // 13,778 in, 26,128 out; { response }
const GEMMA = "@cf/google/gemma-4-26b-a4b-it"; // 9,091 in, 27,273 out; chunks

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`stream-${made}`, settings);
};

afterEach(() => reset());

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;
const TOOL = { type: "function", function: { name: "get_weather" } };

async function stream(behaviour: string, more: object = {}, options: StreamOptions = {}) {
  const tenant = await aTenant();
  const messages = [{ role: "user", content: `[[fake:${behaviour}|${unique()}]]` }];
  const body = { model: GEMMA, messages, max_tokens: 50, ...more };
  const open = await openStream(tenant.key, body, options);
  return { tenant, open, ...(open.response.status === 200 ? await readStream(open) : NOT_READ) };
}

const NOT_READ = { raw: "", chunks: [], done: false };

describe("a streamed chat", () => {
  it("comes as OpenAI's chunks, byte for byte", async () => {
    const { raw, open, tenant } = await stream("text=Hello there&usage=12/5");
    const [first] = raw.split("\n\n", 1);
    const { id, created } = JSON.parse(first?.slice(6) ?? "");
    expect(id).toMatch(/^chatcmpl-/);
    expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(60);
    const head = `"id":"${id}","object":"chat.completion.chunk","created":${created},"model":"${GEMMA}","system_fingerprint":null`;
    const chunk = (delta: string, finish = "null") =>
      `data: {${head},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`;
    expect(raw).toBe(
      chunk('{"role":"assistant","content":""}') +
        chunk('{"content":"Hello"}') +
        chunk('{"content":" there"}') +
        chunk("{}", '"stop"') +
        "data: [DONE]\n\n",
    );
    const { headers } = open.response;
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const [line] = await lines(tenant);
    expect(headers.get("x-neurogate-micro-neurons")).toBe(String(line.held_micro_neurons));
    expect(headers.get("x-neurogate-engine")).toBe("workers-ai");
    expect(headers.get("openai-processing-ms")).toMatch(/^\d+$/);
    // 12 * 9,091 + 5 * 27,273
    expect(line).toMatchObject({ outcome: "posted", micro_neurons: 245_457 });
    expect(line.items).toMatchObject([{ basis: "measured", units: { input_token: 12 } }]);
  });

  it.each([
    [GEMMA, 245_457],
    [LLAMA, 295_976],
  ])("tells of usage and cost in a chunk of its own, with %s", async (model, price) => {
    const { chunks, done } = await stream("text=Hello there&usage=12/5", {
      model,
      stream_options: { include_usage: true },
    });
    expect(done).toBe(true);
    expect(textIn({ chunks })).toBe("Hello there");
    const last = chunks.pop();
    for (const { usage, choices } of chunks) {
      expect(usage).toBeNull();
      expect(choices).toHaveLength(1);
    }
    expect(chunks.at(-1).choices[0].finish_reason).toBe("stop");
    expect(last).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
      neurogate: { micro_neurons: price, basis: "measured", model, stand_in: false },
    });
  });

  it("has the same head in every chunk", async () => {
    const { chunks } = await stream("words=20", { n: 3, stream_options: { include_usage: true } });
    const heads = chunks.map(({ id, object, created, model }) => [id, object, created, model]);
    expect(new Set(heads.map(String)).size).toBe(1);
    for (const index of [0, 1, 2]) {
      expect(textIn({ chunks }, index)).toMatch(/^w0 w1 .* w19$/);
      const own = chunks.flatMap(({ choices }) => choices).filter((one) => one.index === index);
      expect(own[0].delta).toEqual({ role: "assistant", content: "" });
      expect(own.at(-1).finish_reason).toBe("stop");
      expect(own.filter(({ delta }) => "role" in delta)).toHaveLength(1);
    }
  });

  it.each([GEMMA, LLAMA])("gives tool calls in pieces that fit together, of %s", async (model) => {
    const { chunks, done } = await stream("tool=get_weather&calls=2", { model, tools: [TOOL] });
    expect(done).toBe(true);
    const calls: { id?: string; type?: string; name?: string; arguments: string }[] = [];
    for (const { choices } of chunks) {
      for (const delta of choices[0].delta.tool_calls ?? []) {
        const call = (calls[delta.index] ??= { arguments: "" });
        if (delta.id !== undefined) Object.assign(call, { id: delta.id, type: delta.type });
        if (delta.function.name !== undefined) call.name = delta.function.name;
        call.arguments += delta.function.arguments ?? "";
      }
    }
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      expect(call).toMatchObject({ type: "function", name: "get_weather" });
      expect(call.id).toMatch(/^call_/);
      expect(JSON.parse(call.arguments)).toEqual({ city: "Paris" });
    }
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(chunks.at(-1).choices[0].finish_reason).toBe("tool_calls");
  });

  it("shows what a model thinks, apart", async () => {
    const { chunks } = await stream("reasoning=1&text=Yes");
    expect(textIn({ chunks })).toBe("Yes");
    const thought = chunks.map(({ choices }) => choices[0].delta.reasoning_content ?? "").join("");
    expect(thought).toBe("Let me think.");
  });

  it.each(["split=1", "crlf=1", "split=1&crlf=1"])(
    "is read right however it is sent: %s",
    async (how) => {
      const { chunks, done } = await stream(`text=Grüße 🦜 aus Ostrel&usage=12/5&${how}`);
      expect(textIn({ chunks })).toBe("Grüße 🦜 aus Ostrel");
      expect(done).toBe(true);
    },
  );

  it.each([GEMMA, LLAMA])("asks %s for usage, and the engine for a stream", async (model) => {
    const { tenant } = await stream("ok", { model });
    const url = new URL("/__requests?match=fake:ok", env.FAKE_AI_URL);
    const requests: { inputs: Record<string, unknown> }[] = await (await fetch(url)).json();
    const inputs = requests.at(-1)?.inputs;
    expect(inputs?.["stream"]).toBe(true);
    expect(inputs?.["stream_options"]).toEqual(
      model === GEMMA ? { include_usage: true } : undefined,
    );
    expect(await lines(tenant)).toHaveLength(1);
  });

  it("says that an answer was cut at max_tokens, also where the model does not", async () => {
    const { chunks } = await stream("usage=12/50", { model: LLAMA });
    expect(chunks.at(-1).choices[0].finish_reason).toBe("length");
  });

  it("ends before a stop sequence also where the model knows no such thing", async () => {
    const stop = ["w3 w4", "w12"];
    const read = await stream("words=20&usage=12/20", { model: LLAMA, stop });
    expect(textIn(read)).toBe("w0 w1 w2 ");
    expect(read.chunks.at(-1).choices[0].finish_reason).toBe("stop");
    expect(read.done).toBe(true);
    // 12 * 13,778 + 20 * 26,128: what was written behind it was written.
    expect(await lines(read.tenant)).toMatchObject([{ micro_neurons: 687_896 }]);
  });

  it("is not run again for a repeated idempotency key: its line is named", async () => {
    const tenant = await aTenant();
    const body = { model: GEMMA, messages: [{ role: "user", content: `usage ${unique()}` }] };
    const options = { headers: { "Idempotency-Key": "s1" } };
    await readStream(await openStream(tenant.key, body, options));
    const again = await openStream(tenant.key, body, options);
    expect(again.response.status).toBe(409);
    const [line, ...more] = await lines(tenant);
    expect(more).toEqual([]);
    const { error } = await again.response.json<{ error: { kind: string; message: string } }>();
    expect(error.kind).toBe("idempotency_replay_unavailable");
    expect(error.message).toContain(line.id);
    expect(again.response.headers.get("x-should-retry")).toBe("false");
  });

  it("is cut to what is left under x-neurogate-fit", async () => {
    const tenant = await aTenant({ daily_neurons: 2 });
    const messages = [{ role: "user", content: "The sky is blue." }];
    const body = { model: LLAMA, messages, max_tokens: 500 };
    const open = await openStream(tenant.key, body, { headers: { "x-neurogate-fit": "true" } });
    await readStream(open);
    // 2 N less 64 tokens of 13,778 are 1,118,208: 42 tokens of 26,128.
    expect(open.response.headers.get("x-neurogate-clamped-max-tokens")).toBe("42");
  });

  it("comes from the embedded engine word by word, as its whole answer does", async () => {
    const tenant = await aTenant();
    const messages = [{ role: "user", content: "The sky is blue. Grass is green." }];
    const body = { model: LLAMA, messages, stream_options: { include_usage: true } };
    const whole = await tenant.call("POST", "/v1/chat/completions", {
      ...body,
      stream_options: null,
    });
    const read = await readStream(
      await openStream(tenant.key, body, { env: { INFERENCE: "embedded" } }),
    );
    expect(textIn(read)).toBe(whole.body.choices[0].message.content);
    expect(read.chunks.length).toBeGreaterThan(4);
    const { usage, neurogate } = read.chunks.at(-1);
    expect(usage).toEqual(whole.body.usage);
    expect(neurogate).toMatchObject({
      micro_neurons: whole.body.neurogate.micro_neurons,
      basis: "estimated",
      stand_in: true,
    });
  });

  it("comes from an OpenAI-compatible server, asked for its usage", async () => {
    const server = {
      INFERENCE: "openai",
      OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
      OPENAI_MODEL: "llama3",
    };
    const { chunks, done, tenant } = await stream(
      "text=Hello&usage=12/5",
      { stop: ["x"], stream_options: { include_usage: true } },
      { env: server },
    );
    expect(done).toBe(true);
    expect(textIn({ chunks })).toBe("Hello");
    expect(chunks.at(-1).neurogate).toMatchObject({ model: "llama3", micro_neurons: 245_457 });
    expect(await lines(tenant)).toMatchObject([{ micro_neurons: 245_457 }]);
  });
});

describe("what a stream costs", () => {
  it.each([
    // The last usage, never the sum.
    ["usages=2&usage=12/5&words=9", 245_457, "measured"],
    ["late_usage&usage=12/5", 245_457, "measured"],
    // 8 fresh tokens, 4 cached: this model has one price for both.
    ["usage=12/5/4", 245_457, "measured"],
    ["zero_usage", 0, "measured"],
    ["no_done&usage=12/5", 245_457, "measured"],
  ])("under %s", async (behaviour, price, basis) => {
    const { tenant, done } = await stream(behaviour);
    expect(done).toBe(true);
    expect(await lines(tenant)).toMatchObject([
      { outcome: "posted", micro_neurons: price, items: [{ basis, model: GEMMA }] },
    ]);
  });

  it.each(["no_usage", "usages=2&no_usage", "negative_usage"])(
    "is the bound where nothing credible was reported of the whole: %s",
    async (behaviour) => {
      const { tenant, done, chunks } = await stream(behaviour, {
        stream_options: { include_usage: true },
      });
      expect(done).toBe(true);
      expect(chunks.at(-1).neurogate.basis).toBe("held");
      const [line, ...more] = await lines(tenant);
      expect(more).toEqual([]);
      expect(line.items).toMatchObject([{ basis: "held" }]);
      expect(line.micro_neurons).toBe(line.held_micro_neurons);
    },
  );

  it.each([GEMMA, LLAMA])("is never more than was held, of %s", async (model) => {
    const { tenant } = await stream("huge_usage", { model });
    const [line] = await lines(tenant);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
    expect(line.overrun_micro_neurons).toBeGreaterThan(0);
  });
});

describe("a stream that fails", () => {
  it.each([
    ["3040", 503, "engine_busy", "voided"],
    ["3036", 429, "account_quota_exceeded", "voided"],
    ["5007", 502, "engine_failed", "voided"],
    ["500", 502, "engine_failed", "posted"],
    ["3007", 504, "engine_timeout", "posted"],
    ["not_json", 502, "engine_failed", "posted"],
    ["cut=0", 502, "engine_failed", "posted"],
    ["error=0", 502, "engine_failed", "posted"],
    ["garbage=0", 502, "engine_failed", "posted"],
    ["nothing", 502, "engine_failed", "posted"],
    ["huge_event=0", 502, "engine_failed", "posted"],
  ])(
    "before its first byte is an error like any other: %s",
    async (behaviour, status, kind, outcome) => {
      const { open, tenant } = await stream(behaviour);
      const { response, ended } = open;
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/json");
      const { error } = await response.json<{ error: { kind: string } }>();
      expect(error.kind).toBe(kind);
      await ended();
      const [line, ...more] = await lines(tenant);
      expect(more).toEqual([]);
      expect(line.outcome).toBe(outcome);
      expect(line.micro_neurons).toBe(outcome === "voided" ? 0 : line.held_micro_neurons);
    },
  );

  it.each([
    "cut=3",
    "error=3",
    "garbage=3",
    "huge_event=3",
    "usages=1&cut=3",
    "words=2&cut=2",
    "close=3",
  ])("later ends in an error event, never in [DONE], at its bound: %s", async (behaviour) => {
    const { chunks, done, tenant } = await stream(behaviour, {
      stream_options: { include_usage: true },
    });
    expect(done).toBe(false);
    const last = chunks.at(-1);
    expect(last.error).toMatchObject({
      type: "server_error",
      code: "engine_failed",
      param: null,
      request_id: expect.stringMatching(/^req_/),
    });
    const [line, ...more] = await lines(tenant);
    expect(more).toEqual([]);
    expect(line.items).toMatchObject([{ basis: "held" }]);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
  });

  it.each([GEMMA, LLAMA])(
    "for want of an answer is charged with its usage, as a whole one is: %s",
    async (model) => {
      const { chunks, done, tenant } = await stream("only_usage&usage=12/5", { model });
      expect(done).toBe(false);
      expect(chunks).toMatchObject([{ error: { code: "engine_failed" } }]);
      const whole = await aTenant();
      const content = `[[fake:${model === GEMMA ? "no_choices" : "null_text"}&usage=12/5|${unique()}]]`;
      const body = { model, messages: [{ role: "user", content }] };
      const { status } = await whole.onWorkersAi("POST", "/v1/chat/completions", body);
      expect(status).toBe(502);
      const [line, expected] = [(await lines(tenant))[0], (await lines(whole))[0]];
      expect(line.micro_neurons).toBe(expected.micro_neurons);
      expect(line.micro_neurons).toBeLessThan(line.held_micro_neurons);
      expect(line.items).toMatchObject([{ basis: "measured" }]);
    },
  );

  it("for want of an answer has no invented end where only its role came", async () => {
    const { chunks, done, tenant } = await stream("only_role");
    expect(done).toBe(false);
    expect(chunks).toMatchObject([{ error: { code: "engine_failed" } }]);
    const [line] = await lines(tenant);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
  });

  it("of several answers lets the others come to their end", async () => {
    const { chunks, done, tenant } = await stream("usage=12/5,cut=3", { n: 2 });
    expect(done).toBe(false);
    const texts = [textIn({ chunks }, 0), textIn({ chunks }, 1)].toSorted();
    expect(texts[1]).toBe("w0 w1 w2 w3 w4");
    const [line] = await lines(tenant);
    expect(line.micro_neurons).toBe(245_457 + line.held_micro_neurons / 2);
  });

  it("before all answers have begun ends those that have", async () => {
    const { open, tenant } = await stream("endless&usage=12/5,500", { n: 2 });
    expect(open.response.status).toBe(502);
    await open.ended();
    const [line] = await lines(tenant);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
  });

  it("is refused before it is opened where it cannot be had", async () => {
    const format = { response_format: { type: "json_object" } };
    const { open, tenant } = await stream("ok", { model: LLAMA, ...format });
    expect(open.response.status).toBe(400);
    expect(await open.response.json()).toMatchObject({
      error: { kind: "unsupported_parameter", param: "response_format" },
    });
    expect(await lines(tenant)).toMatchObject([{ outcome: "voided" }]);
  });

  it("over its quota is refused like any other call", async () => {
    const tenant = await aTenant({ daily_neurons: 1 });
    const messages = [{ role: "user", content: "hi" }];
    const { response } = await openStream(tenant.key, { model: GEMMA, messages, max_tokens: 900 });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { kind: "over_limit" } });
  });
});
