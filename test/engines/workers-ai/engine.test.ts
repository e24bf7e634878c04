import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { JUDGED_CATEGORIES } from "../../../src/domain/moderation/category.ts";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import type { Check, CheckOutcome } from "../../../src/engines/engine.ts";
import type { Picture } from "../../../src/engines/picture.ts";
import { createWorkersAiEngine } from "../../../src/engines/workers-ai/engine.ts";

// The real `Ai` class of the runtime, and a fake server behind it: see test/fakes/workers-ai-server.mjs.

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const RESNET = "@cf/microsoft/resnet-50";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";

/** Opaque to an engine: it is only asked for. */
const hold: Hold = JSON.parse("{}");
const engine = createWorkersAiEngine(env.AI);
const run = (check: Check, timeoutMs = 5_000, of = engine): Promise<CheckOutcome> =>
  of.run(hold, check, { timeoutMs });

const sentiment = (text: string): Check => ({
  name: "sentiment",
  model: DISTILBERT,
  text,
  language: "en",
});
const judge = (text: string, model = LLAMA): Check => ({
  name: "judge",
  model,
  text,
  language: "en",
});

function picture(marker: string, size = 1_000): Picture {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(marker), size - marker.length);
  return { bytes, format: "png", width: 8, height: 8 };
}
const labels = (marker: string): Check => ({
  name: "labels",
  model: RESNET,
  picture: picture(marker),
});
const vision = (marker: string, model = GEMMA): Check => ({
  name: "vision",
  model,
  picture: picture(marker),
});

interface Arrived {
  readonly task: string;
  readonly model: string;
  readonly headers: Record<string, string>;
  readonly inputs: Record<string, unknown>;
  readonly options: Record<string, unknown>;
  readonly bytes: number;
  readonly chunked: boolean;
}
async function arrived(match: string): Promise<Arrived[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  return (await fetch(url)).json();
}

const unique = () => crypto.randomUUID();
const FAILED: CheckOutcome = { kind: "failed", usage: null };
const TIMED_OUT: CheckOutcome = { kind: "timed_out" };
const refused = (code: number | null, why?: "retryable" | "accountExhausted"): CheckOutcome => ({
  kind: "refused",
  code,
  retryable: why === "retryable",
  accountExhausted: why === "accountExhausted",
});

/** The real class on a service of ours, for what no server can do. */
function bindingOn(fetch: () => Promise<Response>): Ai {
  return Reflect.construct(env.AI.constructor, [{ fetch }]);
}

describe("what it can judge", () => {
  it("goes by the model", () => {
    expect(engine.judges("sentiment", DISTILBERT)).toEqual(["negativity"]);
    expect(engine.judges("sentiment", LLAMA)).toEqual([]);
    expect(engine.judges("judge", LLAMA)).toEqual(JUDGED_CATEGORIES);
    expect(engine.judges("judge", DISTILBERT)).toEqual([]);
    expect(engine.judges("judge", "@cf/meta/llama-guard-3-8b")).toEqual([]);
    expect(engine.judges("labels", RESNET)).toEqual(["weapons", "alcohol", "swimwear"]);
    expect(engine.judges("vision", GEMMA)).toEqual(["nsfw"]);
    expect(engine.judges("vision", LLAMA)).toEqual([]);
  });

  it("declares languages, English only for what it does not know", () => {
    expect(engine.languages("sentiment", DISTILBERT)).toEqual(["en"]);
    expect(engine.languages("judge", LLAMA)).toEqual("en de fr it pt hi es th".split(" "));
    expect(engine.languages("judge", GEMMA)).toContain("ja");
    expect(engine.languages("judge", "@cf/nobody/knows")).toEqual(["en"]);
    expect(engine.languages("labels", RESNET)).toBeNull();
    expect(engine.languages("vision", GEMMA)).toBeNull();
  });

  it("runs nothing for the rest", async () => {
    const id = unique();
    expect(await run({ name: "sentiment", model: LLAMA, text: id, language: "en" })).toEqual({
      kind: "unsupported",
    });
    expect(await run(vision(id, LLAMA))).toEqual({ kind: "unsupported" });
    expect(await arrived(id)).toEqual([]);
  });
});

describe("sentiment", () => {
  it.each([
    ["What a terrible, awful film", 0.98],
    ["What a lovely film", 0.03],
    ["[[fake:score:61]]", 0.61],
    ["[[fake:positive_first]] terrible", 0.98],
    ["[[fake:charset]] terrible", 0.98],
  ])("%s: %d", async (text, negativity) => {
    expect(await run(sentiment(text))).toEqual({
      kind: "answered",
      model: DISTILBERT,
      scores: { negativity },
      usage: null,
    });
  });

  it.each(["no_label", "bad_score", "empty_list", "malformed", "not_json", "bad_utf8"])(
    "%s is failed",
    async (behaviour) =>
      expect(await run(sentiment(`[[fake:${behaviour}]]`))).toMatchObject(FAILED),
  );
});

describe("judge", () => {
  it("asks a model of the older kind with a bare schema, and reads its object", async () => {
    const id = unique();
    const outcome = await run(judge(`You idiot ${id}`));
    expect(outcome).toMatchObject({
      kind: "answered",
      model: LLAMA,
      scores: { toxicity: 0.92, harassment: 0.88, hate: 0 },
      usage: { input_token: expect.any(Number), output_token: expect.any(Number) },
    });
    const [request] = await arrived(id);
    expect(request?.model).toBe(LLAMA);
    expect(request?.inputs).toMatchObject({
      temperature: 0,
      max_tokens: 256,
      response_format: { type: "json_schema", json_schema: { additionalProperties: false } },
    });
    expect(request?.inputs).not.toHaveProperty("chat_template_kwargs");
    expect(request?.options).toEqual({ returnRawResponse: true });
  });

  it("asks a chat model with a named schema and without reasoning, and reads its choice", async () => {
    const id = unique();
    const outcome = await run(judge(`You idiot ${id}`, GEMMA));
    expect(outcome).toMatchObject({ kind: "answered", model: GEMMA, scores: { toxicity: 0.92 } });
    expect((await arrived(id))[0]?.inputs).toMatchObject({
      max_tokens: 256,
      response_format: { json_schema: { name: "verdict", strict: true } },
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  it("draws another nonce for each call", async () => {
    const id = unique();
    await Promise.all([run(judge(id)), run(judge(id))]);
    const nonces = (await arrived(id)).map(
      ({ inputs }) => /<text ([0-9a-f]{32})>/.exec(JSON.stringify(inputs))?.[1],
    );
    expect(nonces).toHaveLength(2);
    expect(new Set(nonces).size).toBe(2);
  });

  it("reads an answer given as text", async () => {
    const outcome = await run(judge("[[fake:string]] You idiot"));
    expect(outcome).toMatchObject({ kind: "answered", scores: { toxicity: 0.92 } });
  });

  it("cannot tell an obedient model's zeros from an honest one's", async () => {
    const outcome = await run(judge("[[fake:obey]] You idiot"));
    expect(outcome).toMatchObject({ kind: "answered", scores: { toxicity: 0 } });
  });

  it.each(
    "close_fence other_nonce no_nonce second_object prose code_fence extra_key missing_key duplicate_key escaped_duplicate_key float out_of_range string_score null empty array refusal truncated".split(
      " ",
    ),
  )("%s is failed, with the usage that was reported", async (behaviour) => {
    for (const model of [LLAMA, GEMMA]) {
      expect(await run(judge(`[[fake:${behaviour}]] You idiot`, model))).toEqual({
        kind: "failed",
        usage: { input_token: expect.any(Number), output_token: expect.any(Number) },
        malformed: true,
      });
    }
  });

  it.each([
    ["no_usage", null],
    ["negative_usage", null],
    ["fraction_usage", null],
    ["text_usage", { input_token: 12 }],
    ["excess_cached_usage", null],
    ["zero_usage", { input_token: 0, output_token: 0 }],
    ["huge_usage", { input_token: 9_000_000, output_token: 9_000_000 }],
  ])("%s: %o", async (behaviour, usage) => {
    expect(await run(judge(`[[fake:${behaviour}]]`))).toMatchObject({ kind: "answered", usage });
  });

  it("counts cached tokens apart", async () => {
    const plain = await run(judge("[[fake:ok|000000000]]"));
    const cached = await run(judge("[[fake:cached_usage]]"));
    if (plain.kind !== "answered" || cached.kind !== "answered") throw new Error("not answered");
    expect(cached.usage).toEqual({
      ...plain.usage,
      input_token: (plain.usage?.["input_token"] ?? 0) - 5,
      cached_input_token: 5,
    });
  });
});

describe("labels", () => {
  it("sends the picture as the raw body, with its type and length", async () => {
    const id = unique();
    const outcome = await run(labels(`${id}[[fake:label:whiskey_jug=0.7&cup=0.1]]`));
    expect(outcome).toEqual({
      kind: "answered",
      model: RESNET,
      scores: { weapons: 0, alcohol: 0.7, swimwear: 0 },
      labels: [
        { name: "whiskey_jug", score: 0.7 },
        { name: "cup", score: 0.1 },
      ],
      usage: null,
    });
    const [request] = await arrived(id);
    expect(request).toMatchObject({ model: RESNET, bytes: 1_000, chunked: false });
    expect(request?.headers).toMatchObject({ "content-type": "image/png" });
    expect(request?.options).toMatchObject({ userInputs: "{}", version: "3" });
  });

  it.each(["no_label", "bad_score", "empty_list"])("%s is failed", async (behaviour) => {
    expect(await run(labels(`[[fake:${behaviour}]]`))).toMatchObject(FAILED);
  });

  it("is refused like any other", async () => {
    expect(await run(labels("[[fake:3040]]"))).toMatchObject({ kind: "refused", code: 3040 });
  });
});

describe("vision", () => {
  it("sends the picture as a data URI, byte for byte", async () => {
    const id = unique();
    const bytes = crypto.getRandomValues(new Uint8Array(50_001));
    const marker = new TextEncoder().encode(`${id}[[fake:score:nsfw=71]]`);
    bytes.set(marker);
    const check: Check = {
      name: "vision",
      model: GEMMA,
      picture: { bytes, format: "webp", width: 9, height: 9 },
    };
    expect(await run(check)).toMatchObject({ kind: "answered", scores: { nsfw: 0.71 } });
    const sent = JSON.stringify((await arrived(id))[0]?.inputs["messages"]);
    const base64 = /data:image\/webp;base64,([^"]+)/.exec(sent)?.[1] ?? "";
    expect(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))).toEqual(bytes);
  });

  it.each(["prose", "other_nonce", "extra_key", "float"])("%s is failed", async (behaviour) => {
    expect(await run(vision(`[[fake:${behaviour}]]`))).toMatchObject({ kind: "failed" });
  });
});

describe("failures", () => {
  const CODES = [
    3003, 3006, 3023, 3039, 3041, 3042, 5004, 5005, 5006, 5007, 5016, 5018, 5019, 5021, 5025, 5028,
    5035,
  ];
  it.each(CODES)("%d is refused for good", async (code) => {
    expect(await run(judge(`[[fake:${code}]]`))).toMatchObject(refused(code));
    expect(await meanwhile(judge(`[[fake:errors:${code}]]`))).toMatchObject(refused(code));
  });

  it.each([
    ["3030", FAILED, 400],
    ["5006", { kind: "refused" }, 400],
    ["5021", { kind: "refused" }, 413],
    ["5024", { kind: "failed", malformed: true }, 400],
    ["5025", { kind: "refused" }, 400],
  ])("%s keeps its reason on the wire and thrown", async (code, outcome, status) => {
    const rejection = { status, code: Number(code) };
    const check = judge(`[[fake:errors:${code}]]`);
    expect(await run(check)).toMatchObject({ ...outcome, rejection });
    const thrown = await meanwhile(check);
    expect(thrown).toMatchObject({ ...outcome, rejection });
    expect(JSON.stringify(thrown)).toContain(`Scripted error ${code}`);
  });

  it.each<[string, CheckOutcome]>([
    ["3036", refused(3036, "accountExhausted")],
    ["4006", refused(4006, "accountExhausted")],
    ["3040", refused(3040, "retryable")],
    ["errors:3036", refused(3036, "accountExhausted")],
    ["errors:3040", refused(3040, "retryable")],
    ["errors:5007", refused(5007)],
    ["3007", TIMED_OUT],
    ["3008", TIMED_OUT],
    ["3046", TIMED_OUT],
    ["errors:3008", TIMED_OUT],
    ["429", refused(null, "retryable")],
    ["408", TIMED_OUT],
    ["400", refused(null)],
    ["401", refused(null)],
    ["413", refused(null)],
    ["500", FAILED],
    ["502", FAILED],
    ["504", FAILED],
    ["9999", FAILED],
    ["json_mode", FAILED],
    ["json_mode_text", FAILED],
    ["drop", FAILED],
    ["drop_body", FAILED],
    ["malformed", FAILED],
    ["bad_utf8", FAILED],
    ["empty_body", FAILED],
    ["huge", FAILED],
    ["not_json", FAILED],
    ["redirect", FAILED],
  ])("%s: %o", async (behaviour, outcome) => {
    expect(await run(judge(`[[fake:${behaviour}]]`))).toMatchObject(outcome);
  });

  it("does not repeat by itself, and forgets the last error", async () => {
    const id = unique();
    const text = `[[fake:3040,errors:5007,ok|${id}]]`;
    expect(await run(sentiment(text))).toMatchObject({ code: 3040 });
    expect(await run(sentiment(text))).toMatchObject({ code: 5007 });
    expect(await run(sentiment(text))).toMatchObject({ kind: "answered" });
    expect(await arrived(id)).toHaveLength(3);
  });

  it.each(["hang", "hang_body", "drip"])("%s is timed out in time", async (behaviour) => {
    const start = Date.now();
    expect(await run(judge(`[[fake:${behaviour}]]`), 150)).toEqual(TIMED_OUT);
    expect(Date.now() - start).toBeLessThan(2_000);
  });

  it("ends when the caller says so, also before it began", async () => {
    const controller = new AbortController();
    const check = sentiment("[[fake:hang]]");
    const ending = engine.run(hold, check, { timeoutMs: 5_000, signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    expect(await ending).toEqual(TIMED_OUT);
    const id = unique();
    const aborted = { timeoutMs: 5_000, signal: AbortSignal.abort() };
    expect(await engine.run(hold, sentiment(id), aborted)).toEqual(TIMED_OUT);
    expect(await arrived(id)).toEqual([]);
  });

  it("times out a binding that ignores the signal", async () => {
    const deaf = createWorkersAiEngine(bindingOn(() => new Promise(() => {})));
    expect(await run(sentiment("x"), 50, deaf)).toEqual(TIMED_OUT);
  });

  it("lets go of a body that ignores the signal", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        controller.enqueue(new TextEncoder().encode(" "));
      },
      cancel() {
        cancelled = true;
      },
    });
    const headers = { "content-type": "application/json" };
    const deaf = createWorkersAiEngine(bindingOn(async () => new Response(body, { headers })));
    expect(await run(sentiment("x"), 50, deaf)).toEqual(TIMED_OUT);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(cancelled).toBe(true);
  });

  it("takes what the class itself refuses for refused", async () => {
    const misuse = Object.assign(new Error("Content-Type is required"), {
      name: "AiInternalError",
    });
    const broken = createWorkersAiEngine(bindingOn(() => Promise.reject(misuse)));
    expect(await run(sentiment("x"), 1_000, broken)).toMatchObject(refused(null));
  });

  it.each<[string, CheckOutcome]>([
    ["connect(): Connection refused", refused(null, "retryable")],
    ["Binding AI needs to be run remotely", refused(null)],
    ["Too many subrequests by single Worker invocation.", refused(null)],
    ["Network connection lost.", FAILED],
    ["internal error; reference = x", FAILED],
  ])("a binding that throws %s: %o", async (message, outcome) => {
    const broken = createWorkersAiEngine(bindingOn(() => Promise.reject(new Error(message))));
    expect(await run(sentiment("x"), 1_000, broken)).toMatchObject(outcome);
  });
});

/** Whoever calls without `returnRawResponse` while ours is under way changes what ours gets. */
async function meanwhile(check: Check): Promise<CheckOutcome> {
  const outcome = run(check);
  await env.AI.run(DISTILBERT, { text: "someone else" });
  return outcome;
}

describe("the binding that all calls share", () => {
  it("may parse our reply", async () => {
    const outcome = await meanwhile(judge("You idiot"));
    expect(outcome).toMatchObject({ kind: "answered", scores: { toxicity: 0.92 } });
  });

  it("may throw our error", async () => {
    expect(await meanwhile(judge("[[fake:3040]]"))).toMatchObject({ code: 3040, retryable: true });
    expect(await meanwhile(judge("[[fake:errors:3036]]"))).toMatchObject({
      code: 3036,
      accountExhausted: true,
    });
    expect(await meanwhile(judge("[[fake:errors:3046]]"))).toEqual(TIMED_OUT);
    expect(await meanwhile(judge("[[fake:500]]"))).toMatchObject(FAILED);
    expect(await meanwhile(judge("[[fake:json_mode]]"))).toMatchObject(FAILED);
  });

  it("may hand us the stream of a reply that is not quite JSON", async () => {
    const outcome = await meanwhile(sentiment("[[fake:charset]] terrible"));
    expect(outcome).toMatchObject({ kind: "answered", scores: { negativity: 0.98 } });
    expect(await meanwhile(sentiment("[[fake:not_json]]"))).toMatchObject(FAILED);
  });

  it("keeps 60 parallel calls apart", async () => {
    const behaviours = ["ok", "3040", "3036", "5007", "500", "score:61"];
    const calls = Array.from({ length: 60 }, (_, at) => behaviours[at % behaviours.length]);
    const outcomes = await Promise.all(calls.map((call) => run(sentiment(`[[fake:${call}]]`))));
    outcomes.forEach((outcome, at) => {
      const expected = {
        ok: { scores: { negativity: 0.03 } },
        "score:61": { scores: { negativity: 0.61 } },
        "500": FAILED,
      }[calls[at] ?? ""] ?? { code: Number(calls[at]) };
      expect(outcome).toMatchObject(expected);
    });
  });
});
