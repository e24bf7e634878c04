import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { scripted } from "./scripted.ts";

// Texts that cannot be read, or not to their end: what was not read is not approved.

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("texts", { plan: "paid", daily_neurons: 100_000 });
});

const RUSSIAN = "Доброе утро всем вам, дорогие друзья и соседи, сегодня прекрасная погода";
const RULE = { inputs: ["text"], required: false, flag: null, block: null, ban: null };
const GERMAN = "Guten Morgen zusammen, heute ist das Wetter wirklich schön und wir gehen spazieren";

describe("a language that nothing here covers", () => {
  it.each([
    { engine: "embedded", text: GERMAN },
    { engine: "embedded", text: RUSSIAN },
    { engine: "workers-ai", text: RUSSIAN },
  ])("is not evaluated by $engine, not approved and not charged", async ({ engine, text }) => {
    const call = engine === "embedded" ? tenant.call : tenant.onWorkersAi;
    const reply = await call("POST", "/v1/verdicts", { text });
    expect(reply.body).toMatchObject({
      decision: "flag",
      approved: false,
      micro_neurons: 0,
      coverage: { toxicity: "not_evaluated", negativity: "not_evaluated", spam: "evaluated" },
      reasons: [{ kind: "unavailable", category: "toxicity" }],
      review: { state: "open" },
    });
    const drop = await call("POST", "/v1/moderations", { input: text });
    expect(drop.body.results[0]).toMatchObject({ flagged: true, neurogate: { approved: false } });
  });

  it("is not sent anywhere", async () => {
    const content = scripted("ok", RUSSIAN);
    await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });
    expect(await content.asked()).toEqual([]);
  });

  it("names no model for a stage that never ran", async () => {
    const { body } = await tenant.call("POST", "/v1/verdicts", { text: RUSSIAN });
    const judge = body.stages.find(({ name }: { name: string }) => name === "judge");
    expect(judge).toMatchObject({ status: "not_evaluated", model: null, micro_neurons: 0 });
  });
});

describe("the language field", () => {
  it("does not hold for a text that is not even in its script", async () => {
    const { body } = await tenant.call("POST", "/v1/verdicts", { text: RUSSIAN, language: "en" });
    expect(body).toMatchObject({ language: null, approved: false });
    expect(body.coverage.toxicity).toBe("not_evaluated");
  });

  it("is the caller's word, by its primary subtag", async () => {
    const { text } = scripted("ok", "ok");
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text, language: "EN-gb" });
    expect(body).toMatchObject({ language: "en", approved: true });
  });

  it("opens what the judge's model reads, and closes what it does not", async () => {
    const { text } = scripted("ok", GERMAN);
    const german = await tenant.onWorkersAi("POST", "/v1/verdicts", { text, language: "de" });
    expect(german.body).toMatchObject({
      language: "de",
      coverage: { toxicity: "evaluated", negativity: "not_evaluated" },
    });
    const swahili = await tenant.onWorkersAi("POST", "/v1/verdicts", { text, language: "sw" });
    expect(swahili.body).toMatchObject({ language: "sw", approved: false });
  });

  it("must be a language tag", async () => {
    const reply = await tenant.call("POST", "/v1/verdicts", { text: "hi", language: "<script>" });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe("#/language");
    expect(JSON.stringify(reply.body)).not.toContain("script");
  });
});

const LONGEST = 102_400;
const filled = (sentence: string, end = ""): string =>
  sentence.repeat(Math.ceil(LONGEST / sentence.length)).slice(0, LONGEST - end.length) + end;

describe("a long text", () => {
  const sentence = "The committee met on Tuesday and agreed to look at the plan again. ";

  it("is read to its end by the judge, in windows", async () => {
    const content = scripted("ok");
    const text = filled(sentence, ` ${content.text}`);
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });
    expect(body).toMatchObject({
      decision: "allow",
      approved: true,
      // Eight windows of the classifier do not reach the end; no default rule requires it.
      coverage: { toxicity: "evaluated", negativity: "not_evaluated" },
    });
    const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
    expect(line.micro_neurons).toBeLessThanOrEqual(line.held_micro_neurons);
  });

  it.each(["at the end", "in the middle"])("is judged by what stands %s", async (where) => {
    const insult = " you are a worthless stupid idiot ";
    const middle = filled(sentence, insult);
    const text =
      where === "at the end"
        ? middle
        : middle.slice(0, 51_000) + insult + middle.slice(51_000, LONGEST - 2 * insult.length);
    const { body } = await tenant.call("POST", "/v1/verdicts", { text });
    expect(body).toMatchObject({ decision: "flag", approved: false });
    expect(body.reasons).toMatchObject([{ category: "harassment" }]);
  });

  it("is not evaluated beyond the last window, and so not approved", async () => {
    const policy = { categories: { negativity: { ...RULE, required: true } } };
    await tenant.call("PUT", "/v1/policies/calm", policy);
    const ask = (text: string) => tenant.call("POST", "/v1/verdicts", { text, policy: "calm" });
    expect((await ask("We had a nice day. ".repeat(20))).body.approved).toBe(true);
    // Eight windows of 510 tokens at most do not hold 10,000 bytes.
    expect((await ask("We had a nice day. ".repeat(530))).body).toMatchObject({
      decision: "flag",
      approved: false,
      coverage: { negativity: "not_evaluated", toxicity: "evaluated" },
    });
  });

  it("may have 100 KB, in bytes", async () => {
    for (const text of ["x".repeat(LONGEST + 1), "é".repeat(LONGEST / 2 + 1)]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.call("POST", "/v1/verdicts", { text });
      expect(reply.status).toBe(400);
      expect(reply.body.errors).toEqual([
        { pointer: "#/text", detail: `must be at most ${LONGEST} bytes` },
      ]);
    }
  });
});
