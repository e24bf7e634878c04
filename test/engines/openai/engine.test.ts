import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { JUDGED_CATEGORIES } from "../../../src/domain/moderation/category.ts";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import type { Check, CheckOutcome } from "../../../src/engines/engine.ts";
import { createOpenAiEngine } from "../../../src/engines/openai/engine.ts";

// The fake of an OpenAI-compatible server is part of the fake of Workers AI: see
// test/fakes/openai-server.mjs.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";

/** Opaque to an engine: it is only asked for. */
const hold: Hold = JSON.parse("{}");
const baseUrl = new URL("/openai/v1", env.FAKE_AI_URL).href;
const options = {
  baseUrl,
  apiKey: "sk-secret",
  models: { [LLAMA]: "llama3.1:8b", [GEMMA]: "gemma4" },
};
const engine = createOpenAiEngine(options);
const run = (check: Check, timeoutMs = 5_000, of = engine): Promise<CheckOutcome> =>
  of.run(hold, check, { timeoutMs });
const judge = (text: string, model = LLAMA): Check => ({
  name: "judge",
  model,
  text,
  language: "en",
});
const vision = (marker: string, model = GEMMA): Check => {
  const bytes = Uint8Array.from(new TextEncoder().encode(`picture ${marker}`));
  return { name: "vision", model, picture: { bytes, format: "jpeg", width: 1, height: 1 } };
};

async function arrived(match: string): Promise<Record<string, unknown>[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  return (await fetch(url)).json();
}

const FAILED: CheckOutcome = { kind: "failed", usage: null };
const refused = (retryable: boolean): CheckOutcome => ({
  kind: "refused",
  code: null,
  retryable,
  accountExhausted: false,
});

describe("what it can judge", () => {
  it("is what a language model can, where one is named", () => {
    expect(engine.judges("judge", LLAMA)).toEqual(JUDGED_CATEGORIES);
    expect(engine.judges("vision", GEMMA)).toEqual(["nsfw"]);
    expect(engine.judges("sentiment", "@cf/huggingface/distilbert-sst-2-int8")).toEqual([]);
    expect(engine.judges("labels", "@cf/microsoft/resnet-50")).toEqual([]);
    expect(engine.judges("judge", "@cf/nobody/knows")).toEqual([]);
    expect(engine.judges("judge", "constructor")).toEqual([]);
    expect(engine.languages("judge", LLAMA)).toContain("de");
    expect(engine.languages("vision", GEMMA)).toBeNull();
  });

  it("has a default for judges, not for vision", async () => {
    const general = createOpenAiEngine({ baseUrl, models: {}, defaultModel: "qwen3:4b" });
    expect(general.judges("vision", GEMMA)).toEqual([]);
    const outcome = await run(judge("You idiot", "@cf/nobody/knows"), 5_000, general);
    expect(outcome).toMatchObject({ kind: "answered", model: "qwen3:4b" });
    expect(await run(vision(""), 5_000, general)).toEqual({ kind: "unsupported" });
  });

  it("does not pretend to be a classifier", async () => {
    const text = "x";
    const model = "@cf/huggingface/distilbert-sst-2-int8";
    expect(await run({ name: "sentiment", model, text, language: "en" })).toEqual({
      kind: "unsupported",
    });
  });
});

describe("a call", () => {
  it("is a chat completion held to the schema", async () => {
    const id = crypto.randomUUID();
    expect(await run(judge(`You idiot ${id}`))).toMatchObject({
      kind: "answered",
      model: "llama3.1:8b",
      scores: { toxicity: 0.92, hate: 0 },
      usage: { input_token: expect.any(Number), output_token: expect.any(Number) },
    });
    const [request] = await arrived(id);
    expect(request).toMatchObject({
      headers: { authorization: "Bearer sk-secret", "content-type": "application/json" },
      inputs: {
        model: "llama3.1:8b",
        temperature: 0,
        max_tokens: 256,
        response_format: { type: "json_schema", json_schema: { name: "verdict", strict: true } },
      },
    });
    expect(request?.["headers"]).toHaveProperty("content-length");
  });

  it("carries no authorization without a key, and stands a slash in the base", async () => {
    const id = crypto.randomUUID();
    const open = createOpenAiEngine({ ...options, baseUrl: `${baseUrl}/`, apiKey: "" });
    expect(await run(judge(id), 5_000, open)).toMatchObject({ kind: "answered" });
    expect((await arrived(id))[0]?.["headers"]).not.toHaveProperty("authorization");
  });

  it("sends pictures as data URIs", async () => {
    const id = crypto.randomUUID();
    const outcome = await run(vision(`${id}[[fake:score:nsfw=90]]`));
    expect(outcome).toMatchObject({ kind: "answered", model: "gemma4", scores: { nsfw: 0.9 } });
    expect(JSON.stringify((await arrived(id))[0])).toContain("data:image/jpeg;base64,");
  });

  it.each(
    "close_fence other_nonce second_object prose code_fence extra_key duplicate_key float null empty refusal truncated no_choices bad_choices".split(
      " ",
    ),
  )("%s is failed, with the usage that was reported", async (behaviour) => {
    const outcome = await run(judge(`[[fake:${behaviour}]] You idiot`));
    expect(outcome).toMatchObject({ kind: "failed", usage: { input_token: expect.any(Number) } });
  });

  it("takes a reply without usage", async () => {
    const outcome = await run(judge("[[fake:no_usage]]"));
    expect(outcome).toMatchObject({ kind: "answered", usage: null });
  });

  it.each<[string, CheckOutcome]>([
    ["429", refused(true)],
    ["400", refused(false)],
    ["401", refused(false)],
    ["403", refused(false)],
    ["404", refused(false)],
    ["redirect", refused(false)],
    ["408", { kind: "timed_out" }],
    ["500", FAILED],
    ["503", FAILED],
    ["drop", FAILED],
    ["drop_body", FAILED],
    ["malformed", FAILED],
    ["not_json", FAILED],
    ["empty_body", FAILED],
    ["huge", FAILED],
  ])("%s: %o", async (behaviour, outcome) => {
    expect(await run(judge(`[[fake:${behaviour}]]`))).toMatchObject(outcome);
  });

  it.each(["hang", "hang_body", "drip"])("%s is timed out", async (behaviour) => {
    expect(await run(judge(`[[fake:${behaviour}]]`), 150)).toEqual({ kind: "timed_out" });
  });

  it("knows a connection that was never made from one that was lost", async () => {
    const nobody = createOpenAiEngine({ ...options, baseUrl: "http://127.0.0.1:9/v1" });
    expect(await run(judge("x".repeat(100_000)), 5_000, nobody)).toMatchObject(refused(true));
    expect(await run(judge(`${"x".repeat(100_000)}[[fake:drop]]`))).toMatchObject(FAILED);
  });
});
