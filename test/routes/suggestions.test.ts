import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { admin, ask, makeKey, makeTenant } from "../client.ts";

// Labels that clients of the Perspective API's methods send, kept for calibrations where a tenant allows it.

afterEach(() => vi.useRealTimers());

const SUGGEST = "/v1alpha1/comments:suggestscore";
const CALIBRATE = "/v1/policies/calibrate";

const suggestion = (text: string, scores: Record<string, number>) => ({
  comment: { text },
  attributeScores: Object.fromEntries(
    Object.entries(scores).map(([name, value]) => [name, { summaryScore: { value } }]),
  ),
  communityId: "Coral:blog",
});

let made = 0;
const aTenant = async (fields: object = { suggestion_retention_days: 30 }) => {
  const name = `suggesting-${(made += 1)}`;
  const tenant = await makeTenant(name, { rpm: { requests: 600 }, ...fields });
  const key = await makeKey(name, "call");
  const suggest = (text: string, scores: Record<string, number>, by = key) =>
    ask("POST", SUGGEST, { key: by, body: suggestion(text, scores) });
  const kept = async () => (await tenant.call("GET", "/v1/suggestions")).body.data;
  return { name, tenant, suggest, kept };
};

describe("a suggested score", () => {
  it("is kept as a label, read back, and calibrated from", async () => {
    const { tenant, suggest, kept } = await aTenant();
    expect((await suggest("Go away, all of you.", { TOXICITY: 0.9, PROFANITY: 1 })).status).toBe(
      200,
    );
    await suggest("See you on Sunday.", { TOXICITY_EXPERIMENTAL: 0, INSULT: 0.2 });
    expect(await kept()).toEqual([
      {
        object: "suggestion",
        id: expect.stringMatching(/^sug_/),
        text: "See you on Sunday.",
        labels: { toxicity: false, harassment: false },
        created_at: expect.any(String),
      },
      expect.objectContaining({ text: "Go away, all of you.", labels: { toxicity: true } }),
    ]);
    const first = await tenant.call("GET", "/v1/suggestions?limit=1");
    expect(first.body.has_more).toBe(true);
    const from = new Date(Date.now() - 86_400_000).toISOString();
    const body = { from, max_miss_rate: 0.5, confidence: 0.5 };
    const calibration = await tenant.call("POST", CALIBRATE, body);
    expect(calibration.body).toMatchObject({
      kept: { read: 2, is_all: true },
      examples: { used: 2, suggested: 2, sampled: 0, reviewed: 0 },
      // A client chose them: they never show how much passes.
      heads: { toxicity: { allow_below: { measured: { examples: 0 } } } },
    });
  });

  it("of 0 may be left out, as writers of protobuf do", async () => {
    const { tenant, suggest, kept } = await aTenant();
    const body = {
      comment: { text: "See you on Monday." },
      attributeScores: {
        TOXICITY: { summaryScore: {}, spanScores: [{ end: "3", score: {} }, { begin: 4 }] },
        INSULT: { summaryScore: { value: "0.75", type: 1 } },
      },
    };
    expect((await tenant.call("POST", SUGGEST, body)).status).toBe(200);
    expect((await kept())[0].labels).toEqual({ toxicity: false, harassment: true });
    const wrong = { ...body, attributeScores: { INSULT: { summaryScore: { value: "2" } } } };
    expect((await tenant.call("POST", SUGGEST, wrong)).status).toBe(400);
    await suggest("See you on Tuesday.", { TOXICITY: 1 });
    expect(await kept()).toHaveLength(2);
  });

  it("is not kept where the tenant does not say so", async () => {
    const { suggest, kept } = await aTenant({});
    expect((await suggest("Go away, all of you.", { TOXICITY: 1 })).status).toBe(200);
    expect(await kept()).toEqual([]);
  });

  it("is never kept from a key of role score", async () => {
    const { name, suggest, kept } = await aTenant();
    const score = await makeKey(name, "score");
    expect((await suggest("Go away, all of you.", { TOXICITY: 1 }, score)).status).toBe(200);
    const body = suggestion("Go away, all of you.", { TOXICITY: 1 });
    const byQuery = await ask("POST", `${SUGGEST}?key=${score}`, { body });
    expect(byQuery.status).toBe(200);
    expect(await kept()).toEqual([]);
  });

  it("is not kept without a label, nor of a very long text", async () => {
    const { suggest, kept } = await aTenant();
    await suggest("Go away, all of you.", { PROFANITY: 1, SEVERE_TOXICITY: 1 });
    await suggest("Go away, all of you. ".repeat(500), { TOXICITY: 1 });
    expect(await kept()).toEqual([]);
  });

  it("goes after its days, and at once where they become none", async () => {
    const { name, suggest, kept } = await aTenant({ suggestion_retention_days: 2 });
    await suggest("Go away, all of you.", { TOXICITY: 1 });
    vi.setSystemTime(Date.now() + 3 * 86_400_000);
    expect(await kept()).toEqual([]);
    await suggest("See you on Sunday.", { TOXICITY: 0 });
    expect(await kept()).toHaveLength(1);
    await admin("PATCH", `/admin/tenants/${name}`, { suggestion_retention_days: 0 });
    expect(await kept()).toEqual([]);
    vi.setSystemTime(Date.now() + 86_400_000);
    await runDurableObjectAlarm(env.TENANT.getByName(name));
    await admin("PATCH", `/admin/tenants/${name}`, { suggestion_retention_days: 300 });
    expect(await kept()).toEqual([]);
  });

  it("is deleted alone, and read by no calibration then", async () => {
    const { tenant, suggest, kept } = await aTenant();
    await suggest("Go away, all of you.", { TOXICITY: 1 });
    await suggest("See you on Sunday.", { TOXICITY: 0 });
    const [sunday, away] = await kept();
    const path = `/v1/suggestions/${away.id}`;
    expect((await tenant.call("DELETE", path)).status).toBe(204);
    expect(await kept()).toEqual([sunday]);
    const again = await tenant.call("DELETE", path);
    expect([again.status, again.body.kind]).toEqual([404, "not_found"]);
    const from = new Date(Date.now() - 86_400_000).toISOString();
    const body = { from, max_miss_rate: 0.5, confidence: 0.5 };
    const calibration = await tenant.call("POST", CALIBRATE, body);
    expect(calibration.body.kept).toMatchObject({ read: 1 });
  });

  it("is deleted by no other tenant, and by no other role", async () => {
    const { name, suggest, kept } = await aTenant();
    await suggest("Go away, all of you.", { TOXICITY: 1 });
    const path = `/v1/suggestions/${(await kept())[0].id}`;
    const { tenant: other } = await aTenant();
    expect((await other.call("DELETE", path)).status).toBe(404);
    const byCall = await ask("DELETE", path, { key: await makeKey(name, "call") });
    expect(byCall.body.kind).toBe("role_required");
    expect(await kept()).toHaveLength(1);
  });

  it("is not found past its days", async () => {
    const { tenant, suggest, kept } = await aTenant({ suggestion_retention_days: 2 });
    await suggest("Go away, all of you.", { TOXICITY: 1 });
    const [{ id }] = await kept();
    vi.setSystemTime(Date.now() + 3 * 86_400_000);
    expect((await tenant.call("DELETE", `/v1/suggestions/${id}`)).status).toBe(404);
  });

  it("is for no other key to read", async () => {
    const { name } = await aTenant();
    const refused = await ask("GET", "/v1/suggestions", { key: await makeKey(name, "review") });
    expect(refused.body.kind).toBe("role_required");
  });
});
