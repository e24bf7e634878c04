import { beforeAll, describe, expect, it } from "vitest";
import { ask, makeTenant, type TestTenant } from "../client.ts";
import { FOREIGN_THREATS } from "../moderation/foreign-threats.ts";
import { TEXTS_WITHOUT_LANGUAGE } from "../moderation/texts-without-language.ts";
import { scripted } from "./scripted.ts";

// A text in no language that can be told is judged all the same; one in a language that nothing here
// knows is never approved.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const THREATS = Object.values(FOREIGN_THREATS).flat();

/** The text model's one false alarm here: a person would look at it, and no guard withholds it. */
const FALSE_ALARM = "Happy birthday, Ana";

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("languages", {
    plan: "paid",
    daily_neurons: 1_000_000,
    rpm: { requests: 10_000, text_generation: 10_000, text_classification: 10_000 },
  });
});

const engines = [
  { engine: "embedded", call: () => tenant.call },
  { engine: "workers-ai", call: () => tenant.onWorkersAi },
];

interface Result {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  readonly neurogate: { readonly decision: string; readonly approved: boolean };
}

/** In OpenAI's shape; what is held for every reply is held here. */
async function moderated(
  call: TestTenant["call"],
  input: readonly string[],
): Promise<readonly Result[]> {
  const { status, body } = await call("POST", "/v1/moderations", { input });
  expect(status).toBe(200);
  for (const { flagged, categories } of body.results as Result[]) {
    expect(Object.values(categories).includes(true)).toBe(flagged);
  }
  return body.results;
}

describe.each(engines)("harmless texts without a language, on $engine", ({ call }) => {
  it("are allowed and approved, but for one", async () => {
    const results = await moderated(call(), TEXTS_WITHOUT_LANGUAGE);
    const wrong = results.flatMap(({ neurogate: { decision, approved } }, at) =>
      decision === "allow" && approved ? [] : [TEXTS_WITHOUT_LANGUAGE[at]],
    );
    expect(wrong).toEqual([FALSE_ALARM]);
    expect(results.filter(({ neurogate: { decision } }) => decision === "block")).toEqual([]);
  });

  // What is approved no guard withholds; these go the whole way.
  it.each(["42", "John Smith", "Oslo", "👍", "12:30", "https://example.com/a"])(
    "are let through by a guard that blocks: %s",
    async (text) => {
      const { body } = await call()("POST", "/v1/chat/completions", {
        model: LLAMA,
        messages: [{ role: "user", content: text }],
        max_tokens: 20,
        moderation: {
          model: "omni-moderation-latest",
          policy: { input: { mode: "block" }, output: { mode: "block" } },
        },
      });
      expect(body.choices[0].finish_reason).not.toBe("content_filter");
      expect(body.moderation.input).toMatchObject({ results: [{ flagged: false }] });
    },
  );
});

describe.each(engines)("what judged, on $engine", ({ call, engine }) => {
  it("is named in every stage that answered, with its version", async () => {
    const text = "Please buy now, my dear friends, it is a lovely day.";
    const { body } = await call()("POST", "/v1/verdicts", { text });
    const named = Object.fromEntries(
      body.stages.map((stage: { name: string; status: string; model: string | null }) => {
        expect(stage.status).toBe("evaluated");
        return [stage.name, stage.model];
      }),
    );
    const own = "neurogate/tier0@1";
    expect(named).toEqual(
      engine === "embedded"
        ? { sentiment: own, spam: null, judge: own }
        : {
            sentiment: "@cf/huggingface/distilbert-sst-2-int8",
            spam: null,
            judge: LLAMA,
            tier0: own,
          },
    );
    expect(body.policy).toEqual({ name: "default", version: 1 });
  });
});

describe("short threats in other languages", () => {
  it("are never approved by lists of English words, and say why", async () => {
    const results = await moderated(tenant.call, THREATS);
    const approved = results.flatMap(({ neurogate }, at) =>
      neurogate.approved || neurogate.decision === "allow" ? [THREATS[at]] : [],
    );
    expect(approved).toEqual([]);
    for (const { categories } of results) expect(categories["unevaluated"]).toBe(true);
  });

  it("are asked of a language model, whose answer counts", async () => {
    const threat = scripted("judge=score:toxicity=91", "Zabiję cię");
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: threat.text });
    expect(body).toMatchObject({
      decision: "block",
      coverage: { toxicity: "evaluated" },
    });
    expect(await threat.asked()).toContain(LLAMA);
  });
});

describe("a text in a language for certain", () => {
  const GERMAN = "Gestern haben wir im Garten gesessen und lange über das Wetter geredet. ";
  const RUSSIAN = "Вчера мы долго сидели в саду и говорили о погоде и о книгах. ";

  it("is given to a judge that knows it", async () => {
    const { text } = scripted("ok", GERMAN.repeat(3));
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });
    expect(body).toMatchObject({ language: "de", approved: true });
  });

  it("is not given to one that does not, and costs nothing there", async () => {
    const content = scripted("ok", RUSSIAN.repeat(5));
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });
    expect(body).toMatchObject({
      language: "ru",
      decision: "flag",
      approved: false,
      micro_neurons: 0,
      coverage: { toxicity: "not_evaluated" },
    });
    expect(await content.asked()).toEqual([]);
    const judge = body.stages.find(({ name }: { name: string }) => name === "judge");
    expect(judge.failure).toEqual({ kind: "language" });
  });

  it.each([
    ["en,ru", true],
    [JSON.stringify({ [LLAMA]: ["en", "ru"] }), true],
    ["en", false],
    ['{"@cf/another/one":["ru"]}', false],
  ])("is what the operator declares: %s", async (declared, known) => {
    const content = scripted("ok", RUSSIAN.repeat(5));
    const env = { INFERENCE: "workers-ai", JUDGE_LANGUAGES: declared };
    const body = { text: content.text };
    const reply = await ask("POST", "/v1/verdicts", { key: tenant.key, body, env });
    expect(reply.body).toMatchObject({ language: "ru", approved: known });
    expect(await content.asked()).toEqual(known ? [LLAMA] : []);
  });

  it("is so by its script alone, however short", async () => {
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: "Привет" });
    expect(body).toMatchObject({ language: null, approved: false, micro_neurons: 0 });
  });
});
