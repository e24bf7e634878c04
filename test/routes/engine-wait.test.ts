import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ask, failureIn, makeTenant, type Reply, type TestTenant, WORKERS_AI } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";

// How long a busy engine asks to wait: the caller gets it, within bounds, on every surface.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const SMALL = "@cf/baai/bge-small-en-v1.5";
const SCHNELL = "@cf/black-forest-labs/flux-1-schnell";
const MELO = "@cf/myshell-ai/melotts";
const SERVER = {
  INFERENCE: "openai",
  OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
  OPENAI_MODELS: JSON.stringify({ [LLAMA]: "llama", [GEMMA]: "gemma", [SMALL]: "small" }),
};

afterEach(() => reset());

type Settings = Readonly<Record<string, unknown>>;

const aTenant = (settings: Settings = {}): Promise<TestTenant> =>
  makeTenant(`wait-${unique()}`, settings);

async function post(
  path: string,
  body: object,
  {
    engine = SERVER,
    settings = {},
  }: { engine?: Readonly<Record<string, string>>; settings?: Settings } = {},
): Promise<Reply & { readonly tenant: TestTenant }> {
  const tenant = await aTenant(settings);
  const reply = await ask("POST", path.replace("{tenant}", tenant.id), {
    key: tenant.key,
    body,
    env: engine,
  });
  return { ...reply, tenant };
}

const marked = (behaviour: string): string => `Hello [[fake:${behaviour}|${unique()}]]`;
const chatOf = (behaviour: string, more: object = {}): object => ({
  model: LLAMA,
  messages: [{ role: "user", content: marked(behaviour) }],
  max_tokens: 10,
  ...more,
});
const chat = "/v1/chat/completions";

const waitOf = ({ headers }: Reply) => [
  headers.get("retry-after"),
  headers.get("retry-after-ms"),
  headers.get("x-should-retry"),
];

describe("the wait that a busy engine asks for", () => {
  it.each<[string, string, object, Readonly<Record<string, string>>]>([
    ["a chat", chat, chatOf("429@30"), SERVER],
    ["a streamed chat", chat, chatOf("429@30", { stream: true }), SERVER],
    [
      "a completion",
      "/v1/completions",
      { model: LLAMA, prompt: marked("429@30"), max_tokens: 9 },
      SERVER,
    ],
    [
      "a response",
      "/v1/responses",
      { model: LLAMA, input: marked("429@30"), max_output_tokens: 9 },
      SERVER,
    ],
    ["embeddings", "/v1/embeddings", { model: SMALL, input: marked("429@30") }, SERVER],
    ["a chat of Workers AI", chat, chatOf("3040@30"), WORKERS_AI],
    ["a streamed one", chat, chatOf("3040@30", { stream: true }), WORKERS_AI],
    ["a rate of Workers AI", chat, chatOf("429@30"), WORKERS_AI],
    [
      "/ai/run",
      `/client/v4/accounts/{tenant}/ai/run/${LLAMA}`,
      { prompt: marked("3040@30"), max_tokens: 9 },
      WORKERS_AI,
    ],
    [
      "embeddings of Workers AI",
      "/v1/embeddings",
      { model: SMALL, input: marked("3040@30") },
      WORKERS_AI,
    ],
    ["pictures", "/v1/images", { model: SCHNELL, prompt: marked("3040@30") }, WORKERS_AI],
    [
      "speech",
      "/v1/audio/speech",
      { model: MELO, input: marked("3040@30"), voice: "en" },
      WORKERS_AI,
    ],
    [
      "a document",
      "/v1/documents",
      {
        type: "report",
        content: `${marked("3040@30")} The bridge was repaired in May, and it is open again. `,
        tasks: ["summary"],
      },
      WORKERS_AI,
    ],
  ])("is in the reply to %s", async (_, path, body, engine) => {
    const reply = await post(path, body, { engine });
    expect([reply.status, failureIn(reply.body).kind]).toEqual([503, "engine_busy"]);
    expect(waitOf(reply)).toEqual(["30", "30000", null]);
    expect(failureIn(reply.body).retry_after_ms).toBe(30_000);
    expect(JSON.stringify(reply.body)).toContain("It asks to wait 30 seconds. Nothing was charged");
    const [line] = (await reply.tenant.call("GET", "/v1/ledger")).body.data;
    expect(line).toMatchObject({ outcome: "voided", micro_neurons: 0 });
  });

  it.each([
    ["a short one", "429@ms1200", ["2", "1200", null]],
    ["less than a second", "429@ms5", ["1", "1000", null]],
    ["a minute", "429@60", ["60", "60000", null]],
    ["more than a minute", "429@61", ["61", "61000", "false"]],
    ["for ever", "429@1000000000", ["3600", "3600000", "false"]],
    ["no number", "429@NaN", [null, null, null]],
    ["a negative one", "429@-30", [null, null, null]],
    ["a date in the past", "429@Thu 01 Jan 1970 00:00:10 GMT", [null, null, null]],
    ["nothing", "429", [null, null, null]],
  ])("is bounded: %s", async (_, behaviour, expected) => {
    const reply = await post(chat, chatOf(behaviour));
    expect([reply.status, failureIn(reply.body).kind]).toEqual([503, "engine_busy"]);
    expect(waitOf(reply)).toEqual(expected);
  });

  it("may come with a 503, which then ran nothing", async () => {
    const reply = await post(chat, chatOf("503@20"));
    expect([reply.status, failureIn(reply.body).kind]).toEqual([503, "engine_busy"]);
    expect(waitOf(reply)).toEqual(["20", "20000", null]);
    const [line] = (await reply.tenant.call("GET", "/v1/ledger")).body.data;
    expect(line).toMatchObject({ outcome: "voided", micro_neurons: 0 });
    const unclear = await post(chat, chatOf("503"));
    expect([unclear.status, failureIn(unclear.body).kind]).toEqual([502, "engine_failed"]);
  });

  it("is the longest of several answers that are asked for", async () => {
    const reply = await post(chat, chatOf("429@30,429@40", { n: 2 }));
    expect(waitOf(reply)).toEqual(["40", "40000", null]);
  });

  it("never invites a repeat of what was charged", async () => {
    const reply = await post(chat, chatOf("text=a&usage=12/5,429@30", { n: 2 }));
    expect(failureIn(reply.body)).toMatchObject({ kind: "engine_busy", retry_after_ms: 30_000 });
    expect(waitOf(reply)).toEqual(["30", "30000", "false"]);
  });
});

const asked = async (behaviour: string, settings = {}) => {
  const id = unique();
  const messages = [{ role: "user", content: `Hello [[fake:${behaviour}|${id}]]` }];
  const reply = await post(chat, { model: LLAMA, messages, max_tokens: 10 }, { settings });
  return { reply, models: await askedAbout(id) };
};

describe("an engine that asks for a wait", () => {
  it("is asked again within the call only after at most a second", async () => {
    expect((await asked("429@ms900,text=late&usage=12/5")).models).toEqual(["llama", "llama"]);
    const { reply, models } = await asked("429@2,text=late&usage=12/5");
    expect(reply.status).toBe(503);
    expect(models).toEqual(["llama"]);
  });

  it("leaves the call to the fallback at once", async () => {
    const { reply, models } = await asked("429@30,text=there&usage=12/5", {
      fallbacks: { [LLAMA]: [GEMMA] },
    });
    expect(reply.body.choices[0].message.content).toBe("there");
    expect(models).toEqual(["llama", "gemma"]);
  });

  it("is waited for as long as the first of its models", async () => {
    const { reply } = await asked("429@30,429@50", { fallbacks: { [LLAMA]: [GEMMA] } });
    expect(waitOf(reply)).toEqual(["30", "30000", null]);
  });

  it("does not hold up a judge's fallback", async () => {
    const tenant = await aTenant();
    const models = { judge: LLAMA, judge_fallback: GEMMA };
    await tenant.call("PUT", "/v1/policies/default", { models });
    const id = unique();
    const text = `Our library has many books about gardens [[fake:judge=3040@30,ok|${id}]]`;
    const reply = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });
    expect(reply.status).toBe(200);
    const judged = (await askedAbout(id)).filter((model) => [LLAMA, GEMMA].includes(model));
    expect(judged).toEqual([LLAMA, GEMMA]);
  });
});

const failureOf = (stages: readonly { name: string; failure: object }[], name: string) =>
  stages.find((stage) => stage.name === name)?.failure;

describe("the wait of a judge without capacity", () => {
  const ENGLISH = "Our library has many books about gardens";
  const judged = (behaviour: string) => `${ENGLISH} ${marked(behaviour)}`;

  it("is in the stage of a verdict, and in the verdict that is read later", async () => {
    const tenant = await aTenant();
    const text = judged("judge=3040@30");
    const { status, body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });
    expect([status, body.decision, body.approved]).toEqual([200, "flag", false]);
    const failure = { kind: "no_capacity", upstream_status: 429, retry_after_ms: 30_000 };
    expect(failureOf(body.stages, "judge")).toEqual(failure);
    expect(failureOf(body.stages, "sentiment")).toBeNull();
    const read = await tenant.call("GET", `/v1/verdicts/${body.id}`);
    expect(failureOf(read.body.stages, "judge")).toEqual(failure);
  });

  it("is the longest of a long text's windows", async () => {
    const tenant = await aTenant();
    const filler = `${ENGLISH}. `.repeat(340);
    const text = `${marked("judge=3040@30")} ${filler} ${marked("judge=3040@40")}`;
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });
    expect(failureOf(body.stages, "judge")).toMatchObject({ retry_after_ms: 40_000 });
  });

  it("is not named where the engine does not say", async () => {
    const tenant = await aTenant();
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", {
      text: judged("judge=3040"),
    });
    expect(failureOf(body.stages, "judge")).toEqual({ kind: "no_capacity", upstream_status: 429 });
  });

  it("is beside each result of OpenAI's endpoint that it left undecided", async () => {
    const tenant = await aTenant();
    const input = [judged("judge=3040@30"), judged("judge=ok"), judged("judge=3040")];
    const { body } = await tenant.onWorkersAi("POST", "/v1/moderations", { input });
    const waits = body.results.map(
      ({ neurogate }: { neurogate: { retry_after_ms?: number } }) => neurogate.retry_after_ms,
    );
    expect(waits).toEqual([30_000, undefined, undefined]);
  });

  it("is beside the side of a guarded chat that nobody judged", async () => {
    const moderation = {
      model: "omni-moderation-latest",
      policy: { input: { mode: "block" } },
    };
    const body = { ...chatOf("judge=3040@30"), moderation };
    const reply = await post(chat, body, { engine: WORKERS_AI });
    expect(reply.body.choices[0].finish_reason).toBe("content_filter");
    expect(reply.body.moderation.input).toMatchObject({
      type: "error",
      code: "failed",
      retry_after_ms: 30_000,
    });
    const { body: response } = await post(
      "/v1/responses",
      { model: LLAMA, input: marked("judge=3040@30"), moderation, max_output_tokens: 9 },
      { engine: WORKERS_AI },
    );
    expect(response.moderation.input).toMatchObject({ code: "failed", retry_after_ms: 30_000 });
  });

  it("is in the Perspective API's error, where the judge would have scored", async () => {
    const tenant = await aTenant({ perspective_fallback: "judge" });
    await tenant.onWorkersAi("PUT", "/v1/policies/default", {});
    const german = "Das ist ein ganz normaler Satz über das Wetter von heute und morgen";
    const analyze = (behaviour: string) =>
      tenant.onWorkersAi("POST", "/v1alpha1/comments:analyze", {
        comment: { text: `${german} ${marked(behaviour)}` },
        languages: ["de"],
        requestedAttributes: { TOXICITY: {} },
      });
    const busy = await analyze("judge=3040@30");
    expect([busy.status, busy.body.error.kind, busy.body.error.status]).toEqual([
      503,
      "engine_busy",
      "UNAVAILABLE",
    ]);
    expect(waitOf(busy)).toEqual(["30", "30000", null]);
    expect((await analyze("judge=500")).body.error.kind).toBe("unavailable");
  });
});
