import { describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { scripted } from "./scripted.ts";

// Thresholds from what people decided, while its texts are kept.

const CALM = "Our library has many books about gardens, birds and trees";
const RUDE = "Nobody on our street has ever liked a stupid idiot like you";

const CALIBRATE = "/v1/policies/calibrate";
const terms = { max_miss_rate: 0.5, confidence: 0.5 };
const FROM = new Date(Date.now() - 86_400_000).toISOString();

const judge = async (tenant: TestTenant, said: string, behaviour = "judge=ok") =>
  (await tenant.onWorkersAi("POST", "/v1/verdicts", { text: scripted(behaviour, said).text })).body;

const decide = async (tenant: TestTenant, id: string, decision: string) => {
  const body = { state: "done", decision, revision: 1, note: null };
  const reply = await tenant.call("POST", `/v1/verdicts/${id}/review`, body);
  expect(reply.status).toBe(200);
};

describe("a calibration from reviews", () => {
  it("reads the kept texts that people decided, of that time, by the present model", async () => {
    const tenant = await makeTenant("calibrate-reviews", {
      content_retention_days: 7,
      rpm: { requests: 600 },
    });
    await tenant.onWorkersAi("PUT", "/v1/policies/default", { sample_allowed: 1 });
    const drawn = await judge(tenant, CALM);
    expect(drawn.review).toMatchObject({ state: "open", origin: "sample", sampled: true });
    await decide(tenant, drawn.id, "allow");
    await decide(tenant, (await judge(tenant, `${CALM} in town`)).id, "block");
    const flagged = await judge(tenant, RUDE, "judge=score:hate=60");
    expect(flagged.review).toMatchObject({ state: "open", origin: "policy", sampled: false });
    await decide(tenant, flagged.id, "block");
    // Nobody has decided this one.
    await judge(tenant, `${CALM} by the sea`);
    const made = await tenant.call("POST", CALIBRATE, { ...terms, from: FROM });
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({
      kept: { read: 3, is_all: true },
      examples: { received: 3, unread: 0, used: 3, sampled: 2, reviewed: 1, suggested: 0 },
      heads: {
        hate: { allow_below: { status: "not_enough_examples" } },
        any: { decided: { texts: expect.any(Number) } },
      },
    });
    // Together with texts of the request, whose labels hold.
    const given = { examples: [{ text: "It rains again.", labels: { toxicity: false } }] };
    const both = await tenant.call("POST", CALIBRATE, { ...terms, ...given, from: FROM });
    expect(both.body.examples).toMatchObject({ received: 4, used: 4, sampled: 2 });
    const earlier = { from: "2020-01-01T00:00:00Z", to: "2020-02-01T00:00:00Z" };
    const none = await tenant.call("POST", CALIBRATE, { ...terms, ...earlier });
    expect(none.body.kept).toMatchObject({ read: 0, is_all: true });
  });

  it("finds nothing where no content is kept", async () => {
    const tenant = await makeTenant("calibrate-unkept");
    const flagged = await judge(tenant, RUDE, "judge=score:hate=60");
    await decide(tenant, flagged.id, "block");
    const made = await tenant.call("POST", CALIBRATE, { ...terms, from: FROM });
    expect(made.body).toMatchObject({ kept: { read: 0 }, examples: { received: 0 }, tier0: null });
  });

  it.each([
    [{ ...terms }, "examples or from"],
    [{ ...terms, examples: [] }, "examples or from"],
    [{ ...terms, from: FROM, to: "2020-01-01T00:00:00Z" }, "before to"],
    [{ ...terms, examples: [{ text: "a", labels: {} }], to: FROM }, "needs a from"],
    [{ ...terms, from: "2999-01-01T00:00:00Z" }, "is in the future"],
  ])("refuses %j", async (body, detail) => {
    const tenant = await makeTenant(`calibrate-wrong-${crypto.randomUUID().slice(0, 8)}`);
    const refused = await tenant.call("POST", CALIBRATE, body);
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain(detail);
  });
});
