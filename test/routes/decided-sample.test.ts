import { beforeAll, describe, expect, it } from "vitest";
import { JUDGED_CATEGORIES } from "../../src/domain/moderation/category.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { scripted } from "./scripted.ts";

// Texts that the text model decides alone, and that the judge reads too since they were drawn for it.

const CALM = "Our library has many books about gardens, birds and trees";
const RUDE = "You are a stupid idiot and nobody likes you";

const tier0 = {
  model: "neurogate/tier0@1",
  max_miss_rate: 0.02,
  thresholds: { any: { allow_below: 0.3, block_above: 0.9, categories: JUDGED_CATEGORIES } },
};

let tenant: TestTenant;

beforeAll(async () => {
  tenant = await makeTenant("decided-sample", { rpm: { requests: 600 } });
  const put = (name: string, fields: object) =>
    tenant.onWorkersAi("PUT", `/v1/policies/${name}`, { tier0, ...fields });
  expect((await put("all", { sample_decided: 1 })).status).toBe(200);
  await put("none", { sample_decided: 0 });
});

const judged = async (said: string, behaviour: string, policy = "all") => {
  const content = scripted(behaviour, said);
  const reply = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text, policy });
  expect(reply.status).toBe(200);
  return { verdict: reply.body, asked: await content.asked() };
};

interface Stage {
  readonly name: string;
}

const judgeOf = (verdict: { readonly stages: readonly Stage[] }) =>
  verdict.stages.find(({ name }) => name === "judge");

describe("a text that passes, and is drawn for the judge", () => {
  it("is charged for the judge, and stays as it is where that agrees", async () => {
    const { verdict, asked } = await judged(CALM, "judge=score:toxicity=3");
    expect(asked).toHaveLength(1);
    expect(verdict).toMatchObject({
      decision: "allow",
      approved: true,
      decided_by_tier0: true,
      scores: { toxicity: 0.03 },
    });
    expect(judgeOf(verdict)).toMatchObject({ status: "evaluated", sampled: true });
    expect(verdict.micro_neurons).toBeGreaterThan(0);
    const line = await tenant.call("GET", "/v1/ledger");
    expect(JSON.stringify(line.body)).toContain(verdict.id);
    expect((await tenant.call("GET", `/v1/verdicts/${verdict.id}`)).body).toEqual(verdict);
  });

  it("is flagged or blocked where the judge finds harm", async () => {
    const flagged = await judged(CALM, "judge=score:hate=60");
    expect(flagged.verdict).toMatchObject({
      decision: "flag",
      approved: false,
      decided_by_tier0: false,
      review: { state: "open", origin: "policy" },
    });
    const blocked = await judged(CALM, "judge=score:hate=95");
    expect(blocked.verdict).toMatchObject({ decision: "block", decided_by_tier0: false });
  });

  it.each([
    ["has no capacity", "judge=3040"],
    ["fails", "judge=500"],
    ["answers something else", "judge=prose"],
    ["finds the account's allocation used up", "judge=4006"],
  ])("stays as it is where the judge %s", async (_, behaviour) => {
    const { verdict, asked } = await judged(CALM, behaviour);
    expect(asked.length).toBeGreaterThan(0);
    expect(verdict).toMatchObject({
      decision: "allow",
      approved: true,
      decided_by_tier0: true,
      review: { state: "none" },
      coverage: { toxicity: "evaluated", violence: "calibrated" },
    });
    expect(judgeOf(verdict)).toMatchObject({ status: "failed", sampled: true });
  });

  it("closes no day: the next call is admitted", async () => {
    await judged(CALM, "judge=4006");
    const limits = await tenant.call("GET", "/v1/limits");
    expect(limits.body.account_closed).toBe(false);
    expect((await judged(CALM, "judge=ok")).verdict.decided_by_tier0).toBe(true);
  });

  it("costs nothing where the policy has no sample", async () => {
    const { verdict, asked } = await judged(CALM, "judge=score:hate=95", "none");
    expect(asked).toEqual([]);
    expect(verdict).toMatchObject({ decision: "allow", micro_neurons: 0 });
    expect(judgeOf(verdict)).toMatchObject({ status: "not_required", sampled: false });
  });
});

describe("a text that is blocked, and is drawn for the judge", () => {
  it("stays blocked, whatever the judge says", async () => {
    const { verdict, asked } = await judged(RUDE, "judge=score:toxicity=0");
    expect(asked).toHaveLength(1);
    expect(verdict).toMatchObject({ decision: "block", approved: false, decided_by_tier0: true });
    expect(verdict.actions).toEqual(["hide_content", "warn_user"]);
    expect(judgeOf(verdict)).toMatchObject({ status: "evaluated", sampled: true });
  });
});

describe("a text that was left to the judge", () => {
  it("is no different for being drawn", async () => {
    const { verdict } = await judged(
      "That was a rather silly thing to write about our town",
      "judge=500",
    );
    expect(verdict).toMatchObject({ decision: "flag", decided_by_tier0: false });
    expect(judgeOf(verdict)).toMatchObject({ status: "failed", sampled: false });
  });
});

describe("a policy", () => {
  it("says its share: 2 of 100, or what was put, and none in the free preset", async () => {
    const put = await tenant.onWorkersAi("PUT", "/v1/policies/share", { tier0 });
    expect(put.body).toMatchObject({ sample_decided: 0.02, tier0: { max_miss_rate: 0.02 } });
    const patched = await tenant.call("PATCH", "/v1/policies/share", { sample_decided: 0.5 });
    expect(patched.body.sample_decided).toBe(0.5);
    const free = await tenant.onWorkersAi("PUT", "/v1/policies/free", { preset: "free" });
    expect(free.body.sample_decided).toBe(0);
    const wrong = await tenant.call("PATCH", "/v1/policies/share", { sample_decided: 2 });
    expect(wrong.status).toBe(400);
  });
});

describe("usage", () => {
  it("counts the compared texts, and by category those on which the judge disagrees", async () => {
    const own = await makeTenant("decided-usage", { rpm: { requests: 600 } });
    const policy = { tier0, sample_decided: 1 };
    await own.onWorkersAi("PUT", "/v1/policies/default", policy);
    const say = (said: string, behaviour: string) =>
      own.onWorkersAi("POST", "/v1/verdicts", { text: scripted(behaviour, said).text });
    await say(CALM, "judge=score:toxicity=3");
    await say(CALM, "judge=score:hate=60&violence=90");
    await say(RUDE, "judge=score:toxicity=0");
    await say(CALM, "judge=500");
    const { verdicts } = (await own.call("GET", "/v1/usage")).body.totals;
    expect(verdicts).toMatchObject({
      made: 4,
      compared: 3,
      disagreed: { hate: 1, violence: 1, harassment: 1 },
    });
  });
});
