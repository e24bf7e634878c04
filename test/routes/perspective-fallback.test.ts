import { describe, expect, it } from "vitest";
import { ask, makeKey, makeTenant, WORKERS_AI } from "../client.ts";
import { scripted } from "./scripted.ts";

// Comments in other languages than English, read by the paid judge where a tenant allows it.

const ANALYZE = "/v1alpha1/comments:analyze";

const GERMAN = "Das ist ein ganz normaler Satz über das Wetter von heute und morgen";
const RUDE = "judge=score:toxicity=80&harassment=60&hate=20";

let made = 0;
const aForum = async (fields: object = { perspective_fallback: "judge" }) => {
  const name = `fallback-${(made += 1)}`;
  const tenant = await makeTenant(name, { rpm: { requests: 600 }, ...fields });
  await tenant.onWorkersAi("PUT", "/v1/policies/default", {});
  const analyze = async (
    behaviour: string,
    { said = GERMAN, key = tenant.key, ...more }: Record<string, unknown> = {},
  ) => {
    const content = scripted(behaviour, said as string);
    const body = {
      comment: { text: content.text },
      languages: ["de"],
      requestedAttributes: { TOXICITY: {}, INSULT: {} },
      ...more,
    };
    const reply = await ask("POST", ANALYZE, { key: key as string, body, env: WORKERS_AI });
    return { ...reply, text: content.text, asked: await content.asked() };
  };
  return { name, tenant, analyze };
};

const score = (value: number) => ({ value, type: "PROBABILITY" });

const errorType = (reply: { body: { error: { details: { errorType: string }[] } } }) =>
  reply.body.error.details[0]?.errorType;

describe("a comment in another language", () => {
  it("is refused, and asks nobody, where the tenant has not said so", async () => {
    const { analyze } = await aForum({});
    const reply = await analyze(RUDE);
    expect([reply.status, errorType(reply)]).toEqual([400, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"]);
    expect(reply.asked).toEqual([]);
  });

  it("is scored by the judge in the same shape, held for and charged", async () => {
    const { tenant, analyze } = await aForum();
    const reply = await analyze(RUDE, { spanAnnotations: true, clientToken: "t" });
    expect(reply.status).toBe(200);
    expect(reply.asked).toHaveLength(1);
    const all = { begin: 0, end: reply.text.length };
    expect(reply.body).toEqual({
      attributeScores: {
        TOXICITY: { summaryScore: score(0.8), spanScores: [{ ...all, score: score(0.8) }] },
        INSULT: { summaryScore: score(0.6), spanScores: [{ ...all, score: score(0.6) }] },
      },
      languages: ["de"],
      detectedLanguages: ["de"],
      clientToken: "t",
    });
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(line.micro_neurons).toBeGreaterThan(0);
    expect(Number(reply.headers.get("x-neurogate-micro-neurons") ?? line.micro_neurons)).toBe(
      line.micro_neurons,
    );
    const english = await analyze(RUDE, {
      said: "Thank you all for the lovely evening in the park",
      languages: ["en"],
    });
    expect([english.status, english.asked]).toEqual([200, []]);
  });

  it("has no profanity: the list is English", async () => {
    const { analyze } = await aForum();
    const requestedAttributes = { TOXICITY: {}, PROFANITY: {} };
    const refused = await analyze(RUDE, { requestedAttributes });
    expect(errorType(refused)).toBe("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
    expect(refused.body.error.message).toContain("Attribute PROFANITY");
    const left = await analyze(RUDE, { requestedAttributes, dropUnsupportedAttributes: true });
    expect(Object.keys(left.body.attributeScores)).toEqual(["TOXICITY"]);
  });

  it("never reaches the judge from a key of role score", async () => {
    const { name, analyze } = await aForum();
    const reply = await analyze(RUDE, { key: await makeKey(name, "score") });
    expect(errorType(reply)).toBe("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
    expect(reply.asked).toEqual([]);
  });

  it("is refused by the quota, as every paid call is", async () => {
    const { analyze } = await aForum({ perspective_fallback: "judge", daily_neurons: 60 });
    let reply = await analyze(RUDE);
    expect(reply.status).toBe(200);
    // oxlint-disable-next-line no-await-in-loop -- until the day is spent
    for (let calls = 0; calls < 20 && reply.status === 200; calls += 1) reply = await analyze(RUDE);
    expect([reply.status, reply.body.error.status]).toEqual([429, "RESOURCE_EXHAUSTED"]);
    expect(reply.asked).toEqual([]);
    // English costs nothing, and goes on.
    const english = { said: "Thank you all for the lovely evening in the park", languages: ["en"] };
    expect((await analyze(RUDE, english)).status).toBe(200);
  });

  it("is no score where the judge fails", async () => {
    const { tenant, analyze } = await aForum();
    const reply = await analyze("judge=500");
    expect([reply.status, reply.body.error.status]).toEqual([503, "UNAVAILABLE"]);
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(line.micro_neurons).toBe(0);
  });

  it("is refused where the default policy names no judge", async () => {
    const { tenant, analyze } = await aForum();
    await tenant.onWorkersAi("PUT", "/v1/policies/default", { preset: "free" });
    expect(errorType(await analyze(RUDE))).toBe("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
  });
});
