import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ask, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { JPEG } from "../engines/embedded/sample-pictures.ts";

// Workers AI's own surface, task by task, in Cloudflare's envelope.

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const RERANKER = "@cf/baai/bge-reranker-base";
const SMALL = "@cf/baai/bge-small-en-v1.5";
const RESNET = "@cf/microsoft/resnet-50";
const DETR = "@cf/facebook/detr-resnet-50";
const MOONDREAM = "@cf/moondream/moondream3.1-9B-A2B";
const LLAVA = "@cf/llava-hf/llava-1.5-7b-hf";
const M2M100 = "@cf/meta/m2m100-1.2b";
const INDIC = "@cf/ai4bharat/indictrans2-en-indic-1B";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`run-${made}`, settings);
};

afterEach(() => reset());

type Call = TestTenant["call"];

const pathOf = ({ id }: TestTenant, model: string): string =>
  `/client/v4/accounts/${id}/ai/run/${model}`;

const run = (tenant: TestTenant, model: string, body: unknown, call: Call = tenant.call) =>
  call("POST", pathOf(tenant, model), body);

const onWorkersAi = (tenant: TestTenant, model: string, body: unknown): Promise<Reply> =>
  run(tenant, model, body, tenant.onWorkersAi);

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

/** With bytes after its end, which a decoder does not read and the fake does. */
const picture = (marker = ""): Uint8Array =>
  new Uint8Array([...JPEG, ...new TextEncoder().encode(marker)]);

const uri = (marker = ""): string => `data:image/jpeg;base64,${picture(marker).toBase64()}`;

const marked = (behaviour: string): string => `[[fake:${behaviour}|${crypto.randomUUID()}]]`;

describe("text classification", () => {
  it("answers in the envelope, at the estimate, with the embedded engine's word list", async () => {
    const tenant = await aTenant();
    const text = "This is a terrible, awful day";
    const reply = await run(tenant, DISTILBERT, { text, unknown: [1, { a: 2 }] });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe("application/json");
    const { result, neurogate, ...envelope } = reply.body;
    expect(envelope).toEqual({ success: true, errors: [], messages: [] });
    expect(result.map(({ label }: { label: string }) => label)).toEqual(["NEGATIVE", "POSITIVE"]);
    expect(result[0].score).toBeGreaterThan(0.8);
    expect(result[1].score).toBe(0);
    // 29 bytes: 2 + 15 tokens of 2,394 uN.
    expect(neurogate).toMatchObject({
      micro_neurons: 17 * 2394,
      basis: "estimated",
      engine: "embedded",
      model: "neurogate/afinn@1",
      priced_as: DISTILBERT,
    });
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("40698");
    expect(await lines(tenant)).toMatchObject([
      { route: "POST /ai/run", held_micro_neurons: 31 * 2394, micro_neurons: 40_698 },
    ]);
  });

  it.each(["slashes", "%2F"])("finds the model with %s in its path", async (form) => {
    const tenant = await aTenant();
    const model = form === "slashes" ? DISTILBERT : encodeURIComponent(DISTILBERT);
    const reply = await onWorkersAi(tenant, model, { text: "The worst of days" });
    expect(reply.body.result).toEqual([
      { label: "NEGATIVE", score: 0.98 },
      { label: "POSITIVE", score: expect.closeTo(0.02, 9) },
    ]);
  });

  it("is asked by an openai server for nothing: it has no such wire", async () => {
    const tenant = await aTenant();
    const other = { INFERENCE: "openai", OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1` };
    const options = { key: tenant.key, body: { text: "a" }, env: other };
    const reply = await ask("POST", pathOf(tenant, DISTILBERT), options);
    expect(reply.status).toBe(501);
    expect(reply.body.errors[0]).toMatchObject({ code: 5007, kind: "engine_unsupported" });
  });
});

describe("reranking", () => {
  const body = {
    query: "mats for cats",
    contexts: [{ text: "Rates rose again." }, { text: "Cats like mats." }, { text: "No." }],
  };

  it("ranks by shared words with the embedded engine", async () => {
    const tenant = await aTenant();
    const reply = await run(tenant, RERANKER, body);
    const { response } = reply.body.result;
    expect(response).toHaveLength(3);
    expect(response[0].id).toBe(1);
    expect(response[0].score).toBeGreaterThan(response[1].score + 0.2);
    expect(reply.body.neurogate).toMatchObject({ model: "neurogate/hashing@1" });
  });

  it("gives what the model gave, with the best first", async () => {
    const tenant = await aTenant();
    const reply = await onWorkersAi(tenant, RERANKER, { ...body, top_k: 2 });
    expect(reply.body.result).toEqual({
      response: [
        { id: 0, score: 0.017 },
        { id: 1, score: 0.015 },
      ],
    });
    // Contexts of 17, 15 and 3 bytes, each with 13 of the query: 12 + ceil(74 / 2) tokens of 283.
    expect(reply.body.neurogate.micro_neurons).toBe(49 * 283);
  });

  it.each(["empty_list", "twice", "far", "nan"])("takes no %s for an answer", async (behaviour) => {
    const tenant = await aTenant();
    const reply = await onWorkersAi(tenant, RERANKER, { ...body, query: marked(behaviour) });
    expect(reply.status).toBe(502);
    expect(reply.body.errors[0]).toMatchObject({ code: 3043, kind: "engine_failed" });
  });
});

describe("embeddings", () => {
  it("gives shape, data and pooling", async () => {
    const tenant = await aTenant();
    const { body } = await onWorkersAi(tenant, SMALL, { text: ["abc", "de"], pooling: "cls" });
    expect(body.result).toEqual({
      shape: [2, 4],
      data: [
        [3, 0.5, -0.25, 0],
        [2, 0.5, -0.25, 0],
      ],
      pooling: "cls",
    });
    const one = await run(tenant, SMALL, { text: "abc" });
    expect(one.body.result).toMatchObject({ shape: [1, 384], pooling: "mean" });
  });

  it("does not pretend to pool where nothing is pooled", async () => {
    const tenant = await aTenant();
    const reply = await run(tenant, SMALL, { text: "abc", pooling: "cls" });
    expect(reply.body.errors[0]).toMatchObject({ code: 5007, kind: "engine_unsupported" });
  });
});

describe("image classification", () => {
  it.each([
    ["the whole body", "image/jpeg", () => picture()],
    ["the body of a form, as curl sends it", "application/x-www-form-urlencoded", () => picture()],
    ["an array of bytes", "application/json", () => ({ image: [...picture()] })],
    ["base64", "application/json", () => ({ image: picture().toBase64() })],
  ])("takes a picture as %s", async (_, type, body) => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, RESNET), body(), {
      "Content-Type": type,
    });
    expect(reply.status).toBe(200);
    expect(reply.body.result).toEqual([{ label: "TABBY", score: 0.92 }]);
    expect(reply.body.neurogate).toMatchObject({ micro_neurons: 228_055, basis: "counted" });
  });

  it("sends the bytes on as they came", async () => {
    const tenant = await aTenant();
    const marker = marked("ok");
    await onWorkersAi(tenant, RESNET, { image: [...picture(marker)] });
    const url = new URL(`/__requests?match=${encodeURIComponent(marker)}`, env.FAKE_AI_URL);
    const [request, ...others]: readonly { bytes: number; chunked: boolean }[] = await (
      await fetch(url)
    ).json();
    expect(others).toEqual([]);
    expect(request).toMatchObject({ bytes: picture(marker).byteLength, chunked: false });
  });

  it("takes a picture of more bytes than a body may have values", async () => {
    const tenant = await aTenant();
    const large = new Uint8Array(400_000);
    large.set(JPEG);
    const reply = await onWorkersAi(tenant, RESNET, { image: [...large] });
    expect(reply.status).toBe(200);
  });

  it("is what the embedded engine cannot do", async () => {
    const tenant = await aTenant();
    const reply = await run(tenant, RESNET, { image: [...picture()] });
    expect(reply.status).toBe(501);
    expect(reply.body.errors[0].code).toBe(5007);
  });

  it.each([
    [{}, "/image"],
    [{ image: [1, 2, 300] }, "/image"],
    [{ image: [1.5] }, "/image"],
    [{ image: ["a"] }, "/image"],
    [{ image: [] }, "/image"],
    [{ image: [0, 1, 2, 3] }, "/image"],
    [{ image: "not base64!" }, "/image"],
    [{ image: Array.from(JPEG.slice(0, 12)) }, "/image"],
    [{ image: { url: "https://example.com" } }, "/image"],
  ])("refuses %j", async (body, pointer) => {
    const tenant = await aTenant();
    const reply = await onWorkersAi(tenant, RESNET, body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, source: { pointer } });
    expect(await lines(tenant)).toEqual([]);
  });
});

describe("what only the platform prices", () => {
  it("is refused without a price", async () => {
    const tenant = await aTenant();
    for (const model of [DETR, LLAVA]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await onWorkersAi(tenant, model, { image: [...picture()] });
      expect(reply.status).toBe(400);
      expect(reply.body.errors[0]).toMatchObject({ code: 5007, kind: "unpriced_model" });
    }
  });
});

describe("a description of a picture", () => {
  it("answers a question at what the model says that it used", async () => {
    const tenant = await aTenant();
    const body = { image: uri(), question: "What is it?", max_tokens: 100, temperature: 0.2 };
    const reply = await onWorkersAi(tenant, MOONDREAM, body);
    expect(reply.body.result).toEqual({
      finish_reason: "stop",
      answer: "A small square, seen from above.",
      metrics: {
        input_tokens: 740,
        output_tokens: 9,
        prefill_time_ms: 12.5,
        decode_time_ms: 30.25,
        ttft_ms: 14,
      },
    });
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: 740 * 27_273 + 9 * 90_909,
      basis: "measured",
    });
    // 11 bytes + 64 + 16 + 1,024 of the picture, and 100.
    const [line] = await lines(tenant);
    expect(line.held_micro_neurons).toBe(1115 * 27_273 + 100 * 90_909);
  });

  it("is told how much to write, not to reason and not to stream", async () => {
    const tenant = await aTenant({ default_max_tokens: 333 });
    const question = `Which colour? ${crypto.randomUUID()}`;
    await onWorkersAi(tenant, MOONDREAM, { image: uri(), question });
    const url = new URL(`/__requests?match=${encodeURIComponent(question)}`, env.FAKE_AI_URL);
    const [request]: readonly { inputs: object }[] = await (await fetch(url)).json();
    expect(request?.inputs).toEqual({
      task: "query",
      question,
      image: uri(),
      max_tokens: 333,
      reasoning: false,
      stream: false,
    });
  });

  it("describes", async () => {
    const tenant = await aTenant();
    const body = { task: "caption", caption_length: "short", image: uri() };
    const reply = await onWorkersAi(tenant, MOONDREAM, body);
    expect(reply.body.result.caption).toBe("A small square, seen from above.");
    expect(reply.body.result).not.toHaveProperty("answer");
  });

  it("is held where the model does not say what it used", async () => {
    const tenant = await aTenant();
    const body = { image: uri(marked("bad_metrics")), max_tokens: 10 };
    const reply = await onWorkersAi(tenant, MOONDREAM, body);
    const [line] = await lines(tenant);
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: line.held_micro_neurons,
      basis: "held",
    });
  });

  it.each([
    [{ task: "point", target: "cat" }, "/task", "unsupported_parameter"],
    [{ reasoning: true }, "/reasoning", "unsupported_parameter"],
    [{ stream: true }, "/stream", "unsupported_parameter"],
    [{ task: "caption" }, "/image", "invalid_request"],
    [{ task: "sing" }, "/task", "invalid_request"],
    [{ image: "http://example.com/a.png" }, "/image", "invalid_request"],
    [{ max_tokens: 1e9 }, "/max_tokens", "invalid_request"],
    [{ max_tokens: 0.5 }, "/max_tokens", "invalid_request"],
    [{ question: 7 }, "/question", "invalid_request"],
  ])("refuses %j", async (body, pointer, kind) => {
    const tenant = await aTenant();
    const reply = await onWorkersAi(tenant, MOONDREAM, body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind, source: { pointer } });
  });
});

describe("translation", () => {
  it("speaks each model's own names", async () => {
    const tenant = await aTenant();
    const german = await onWorkersAi(tenant, M2M100, { text: "Hello", target_lang: "de" });
    expect(german.body.result).toEqual({ translated_text: "de: Hello" });
    // 4 + 3 tokens in, half of 9 bytes out.
    expect(german.body.neurogate.micro_neurons).toBe(12 * 31_050);
    const body = { text: ["Hello", "Bye"], target_language: "tam_Taml" };
    const tamil = await onWorkersAi(tenant, INDIC, body);
    expect(tamil.body.result).toEqual({ translations: ["tam_Taml: Hello", "tam_Taml: Bye"] });
  });

  it.each([
    [M2M100, { text: "a", target_lang: "tlh" }, "/target_lang"],
    [M2M100, { text: "a", target_lang: "de", source_lang: 5 }, "/source_lang"],
    [M2M100, { text: ["a"], target_lang: "de" }, "/text"],
    [M2M100, { text: "a" }, "/target_lang"],
    [INDIC, { text: "a", target_language: "deu_Latn" }, "/target_language"],
    [INDIC, { text: [], target_language: "hin_Deva" }, "/text"],
    [INDIC, { text: Array(1001).fill("a"), target_language: "hin_Deva" }, "/text"],
  ])("of %s refuses %j", async (model, body, pointer) => {
    const tenant = await aTenant();
    const reply = await onWorkersAi(tenant, model, body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, source: { pointer } });
  });

  it("takes no shorter list for an answer", async () => {
    const tenant = await aTenant();
    const body = { text: ["a", marked("fewer")], target_language: "hin_Deva" };
    expect((await onWorkersAi(tenant, INDIC, body)).status).toBe(502);
  });
});

describe("what is wrong with a request", () => {
  it.each([
    ["no body", DISTILBERT, "", "application/json"],
    ["no JSON", DISTILBERT, "{", "application/json"],
    ["an array", DISTILBERT, "[1]", "application/json"],
    ["bad UTF-8", DISTILBERT, new Uint8Array([0x7b, 0x22, 0xff, 0x22]), "application/json"],
    ["bytes for a text model", DISTILBERT, picture(), "image/jpeg"],
    ["bytes that are no picture", RESNET, new Uint8Array(9).fill(7), "image/png"],
    ["deep JSON", DISTILBERT, `{"a":${"[".repeat(64)}${"]".repeat(64)}}`, "application/json"],
    ["many values", DISTILBERT, JSON.stringify({ a: Array(200_001).fill("") }), "application/json"],
    ["__proto__", DISTILBERT, '{"text":"a","__proto__":{"b":1}}', "application/json"],
  ])("%s is 3003", async (_, model, body, type) => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, model), body, {
      "Content-Type": type,
    });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind: "invalid_request" });
    expect(reply.body).toMatchObject({ result: null, success: false, messages: [] });
  });

  it.each([
    [DISTILBERT, { text: 5 }, "/text"],
    [DISTILBERT, { text: "" }, "/text"],
    [RERANKER, { query: "a", contexts: [] }, "/contexts"],
    [RERANKER, { query: "a", contexts: [{ text: "a" }, { text: 4 }] }, "/contexts/1/text"],
    [
      RERANKER,
      { query: "a", contexts: Array.from({ length: 1001 }, () => ({ text: "a" })) },
      "/contexts",
    ],
    [RERANKER, { query: "a", contexts: [{ text: "a" }], top_k: 0 }, "/top_k"],
    [SMALL, { text: Array(2049).fill("a") }, "/text"],
    [SMALL, { text: "a", pooling: "max" }, "/pooling"],
    [SMALL, { text: "a", truncate_inputs: true }, "/truncate_inputs"],
    [SMALL, { text: "a", instruction: "Find" }, "/instruction"],
    [LLAVA, { image: [...picture()], top_p: 0.5 }, "/top_p"],
  ])("of %s: %j", async (model, body, pointer) => {
    const tenant = await aTenant();
    const reply = await run(tenant, model, body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, source: { pointer } });
    expect(await lines(tenant)).toEqual([]);
  });

  it("is 3003 with a body that is compressed or too large", async () => {
    const tenant = await aTenant();
    const path = pathOf(tenant, DISTILBERT);
    const zipped = await tenant.call("POST", path, { text: "a" }, { "Content-Encoding": "zstd" });
    expect(zipped.status).toBe(415);
    expect(zipped.body.errors[0].code).toBe(3003);
    // What is left of a recording's body without its bytes is as long as a text at most.
    for (const model of [DISTILBERT, "@cf/openai/whisper"]) {
      const body = { text: "a".repeat(2 * 1024 * 1024) };
      // oxlint-disable-next-line no-await-in-loop -- one large body at a time
      const long = await tenant.call("POST", pathOf(tenant, model), body);
      expect(long.status).toBe(413);
      expect(long.body.errors[0].code).toBe(3003);
    }
    const large = await tenant.call("POST", path, new Uint8Array(26 * 1024 * 1024));
    expect(large.status).toBe(413);
    expect(large.body.errors[0]).toMatchObject({ code: 3003, kind: "body_too_large" });
  });

  it.each([
    ["@cf/no/such-model", 404, "model_not_found"],
    ["no-such-model", 404, "model_not_found"],
    ["@cf/unum/uform-gen2-qwen-500m", 404, "model_retired"],
    ["@cf/facebook/bart-large-cnn", 404, "model_retired"],
    ["@cf/cloudflare/clef", 400, "unpriced_model"],
    ["__proto__", 404, "model_not_found"],
    ["%00", 404, "model_not_found"],
  ])("%s is 5007", async (model, status, kind) => {
    const tenant = await aTenant();
    const reply = await run(tenant, model, { text: "a", image: [...picture()] });
    expect(reply.status).toBe(status);
    expect(reply.body.errors[0]).toMatchObject({ code: 5007, kind });
  });

  it("is 5007 for a model that the tenant may not use", async () => {
    const tenant = await aTenant({ models: [SMALL] });
    const reply = await run(tenant, DISTILBERT, { text: "a" });
    expect(reply.status).toBe(403);
    expect(reply.body.errors[0]).toMatchObject({ code: 5007, kind: "model_not_allowed" });
  });

  it("is not shown again", async () => {
    const tenant = await aTenant();
    const secret = "a-secret-that-nobody-may-see-again";
    const body = { text: [secret], [secret]: secret };
    const reply = await run(tenant, DISTILBERT, body);
    expect(JSON.stringify(reply.body)).not.toContain(secret);
  });
});

describe("refusals", () => {
  it("are 3036 for quota, not to be repeated before midnight", async () => {
    const tenant = await aTenant({ daily_neurons: 0.1 });
    const body = { text: "Nice to meet you all here today" };
    await run(tenant, DISTILBERT, body);
    const reply = await run(tenant, DISTILBERT, body);
    expect(reply.status).toBe(429);
    expect(reply.body.errors).toMatchObject([{ code: 3036, kind: "quota_exceeded" }]);
    expect(reply.body.errors[0].resets_at).toMatch(/T00:00:00\.000Z$/);
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(Number(reply.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(reply.headers.get("RateLimit")).toContain('"daily"');
  });

  it("are 3040 for rates, with the wait", async () => {
    const tenant = await aTenant({ rpm: { requests: 1 } });
    await run(tenant, DISTILBERT, { text: "a" });
    const reply = await run(tenant, DISTILBERT, { text: "a" });
    expect(reply.status).toBe(429);
    expect(reply.body.errors).toMatchObject([{ code: 3040, kind: "rate_limited" }]);
    expect(reply.headers.get("x-should-retry")).toBeNull();
    expect(Number(reply.headers.get("retry-after-ms"))).toBeGreaterThan(50_000);
  });

  it("are 3003 for what could never fit", async () => {
    const tenant = await aTenant({ daily_neurons: 0.001 });
    const reply = await run(tenant, DISTILBERT, { text: "Good day" });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind: "over_limit" });
  });

  it.each([
    ["3040", 503, 3040, "engine_busy", null],
    ["3036", 429, 3036, "account_quota_exceeded", "false"],
    ["500", 502, 3043, "engine_failed", "false"],
    ["3007", 504, 3007, "engine_timeout", "false"],
    ["empty_list", 502, 3043, "engine_failed", "false"],
  ])("of the engine (%s) keep its code", async (behaviour, status, code, kind, again) => {
    const tenant = await aTenant();
    const reply = await onWorkersAi(tenant, DISTILBERT, { text: marked(behaviour) });
    expect(reply.status).toBe(status);
    expect(reply.body.errors).toMatchObject([{ code, kind }]);
    expect(reply.headers.get("x-should-retry")).toBe(again);
  });
});

describe("idempotency", () => {
  it("keeps a reply for the same model and body, and for no other model", async () => {
    const tenant = await aTenant();
    const runAgain = (model: string, text: string) =>
      tenant.call("POST", pathOf(tenant, model), { text }, { "Idempotency-Key": "r1" });
    const first = await runAgain(DISTILBERT, "hello there");
    const again = await runAgain(DISTILBERT, "hello there");
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await runAgain(DISTILBERT, "another")).status).toBe(422);
    const other = await runAgain(SMALL, "hello there");
    expect(other.status).toBe(422);
    expect(other.body.errors[0].kind).toBe("idempotency_key_reused");
    expect(await lines(tenant)).toHaveLength(1);
  });
});

describe("paths that are not there", () => {
  it.each([
    ["POST", "/client/v4/accounts/acme/ai/run", 404, "workers-ai"],
    ["POST", "/client/v4/accounts/acme/ai/run/", 404, "workers-ai"],
    ["GET", "/client/v4/user/tokens/verify", 404, "workers-ai"],
    ["GET", `/client/v4/accounts/acme/ai/run/${DISTILBERT}`, 405, "workers-ai"],
    ["POST", "/client/v4/accounts/acme/ai/v1/no/such", 404, "openai"],
    ["GET", "/client/v4/accounts/acme/ai/v1/embeddings", 405, "openai"],
    ["GET", "/client/v5/accounts", 404, "native"],
    ["POST", "/v1/embeddings/more", 404, "openai"],
  ])("%s %s is told in its surface's shape", async (method, path, status, surface) => {
    const tenant = await aTenant();
    const reply = await tenant.call(method, path);
    expect(reply.status).toBe(status);
    const kind = status === 405 ? "method_not_allowed" : "not_found";
    const shapes = {
      "workers-ai": { success: false, errors: [{ code: status === 405 ? 7001 : 7003, kind }] },
      openai: { error: { kind, code: kind } },
      native: { kind, title: "Not Found" },
    };
    expect(reply.body).toMatchObject(shapes[surface as keyof typeof shapes]);
  });
});
