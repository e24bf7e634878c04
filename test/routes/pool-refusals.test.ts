import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { cleanUp, HOUR, MIDNIGHT, NOW, SECOND, stopClock } from "../durable-objects/a-tenant.ts";

// What callers are told when the account has too little for their call: on every surface, and before
// they make it. How much it has left is not among it.

beforeEach(() => stopClock());
afterEach(cleanUp);

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8"; // 13,778 in, 26,128 out
/** 5 bytes, 40 for the template and 8 for the message. */
const bound = (tokens: number): number => (5 + 40 + 8) * 13_778 + tokens * 26_128;
const POOL = bound(1000);

const chat = (max_tokens: number) => ({
  model: LLAMA,
  messages: [{ role: "user", content: "Hello" }],
  max_tokens,
});

const capped = (settings: object = {}) =>
  admin("PATCH", "/admin/account", {
    daily_cap_neurons: POOL / 1e6,
    max_hold_share: 1,
    max_unspent_share: 1,
    ...settings,
  });

const completions = (tenant: TestTenant, tokens: number, headers = {}) =>
  tenant.call("POST", "/v1/chat/completions", chat(tokens), headers);

const quote = (tenant: TestTenant, tokens: number, headers = {}) =>
  tenant.call("POST", "/v1/quote", { path: "/v1/chat/completions", body: chat(tokens) }, headers);

const again = ({ headers }: Reply) => ({
  shouldRetry: headers.get("x-should-retry"),
  afterS: Number(headers.get("retry-after")),
});

/** Most of the pool is spent; a call of 900 tokens does not fit any more, one of 10 does. */
async function mostlySpent(): Promise<TestTenant> {
  await capped();
  const other = await makeTenant("other");
  let left = POOL;
  // The stand-in answers with few tokens, so that many small calls are needed.
  for (let at = 0; at < 60 && left > bound(900); at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { body } = await other.call("POST", "/v1/verdicts", { text: "you are welcome here" });
    left -= body.micro_neurons;
  }
  vi.setSystemTime(NOW + HOUR);
  return makeTenant("tenant");
}

describe("a call that is too large for what is left of the account", () => {
  it("is told so on every surface, to be asked again within five minutes, and a smaller one is not", async () => {
    const tenant = await mostlySpent();
    const limits = { shouldRetry: "false", afterS: 300 };
    const resetsAt = new Date(NOW + HOUR + 300 * SECOND).toISOString();

    const openAi = await completions(tenant, 900);
    expect(openAi.status).toBe(429);
    expect(again(openAi)).toEqual(limits);
    expect(openAi.body.error).toMatchObject({
      kind: "account_quota_exceeded",
      code: "insufficient_quota",
      reason: "too_large_for_account",
      resets_at: resetsAt,
      message: expect.stringContaining("too large for what is left of the account"),
    });

    const run = `/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`;
    const workersAi = await tenant.call("POST", run, { ...chat(900), model: undefined });
    expect(workersAi.status).toBe(429);
    expect(again(workersAi)).toEqual(limits);
    expect(workersAi.body.errors[0]).toMatchObject({
      code: 3036,
      kind: "account_quota_exceeded",
      reason: "too_large_for_account",
      resets_at: resetsAt,
      message: expect.stringContaining("too large for what is left of the account"),
    });

    const quoted = await quote(tenant, 900);
    expect(quoted.body).toMatchObject({
      refused_as: "account_quota_exceeded",
      fits_today: false,
    });
    expect((await quote(tenant, 10)).body).toMatchObject({ refused_as: null, fits_today: true });
    expect((await completions(tenant, 10)).status).toBe(200);
  });

  it("is a problem on the native surface, with a reason", async () => {
    await capped({ daily_cap_neurons: 30 });
    const other = await makeTenant("other");
    for (let at = 0; at < 2; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await other.call("POST", "/v1/verdicts", { text: "you are welcome here" });
    }
    const tenant = await makeTenant("tenant");
    const refused = await tenant.call("POST", "/v1/verdicts", { text: "you are welcome here" });
    expect(refused.status).toBe(429);
    expect(again(refused)).toEqual({ shouldRetry: "false", afterS: 300 });
    expect(refused.body).toMatchObject({
      kind: "account_quota_exceeded",
      reason: "too_large_for_account",
      "violated-policies": ["account"],
      resets_at: new Date(NOW + 300 * SECOND).toISOString(),
      detail: expect.stringContaining("too large for what is left of the account"),
    });
    vi.setSystemTime(MIDNIGHT);
    expect((await tenant.call("POST", "/v1/verdicts", { text: "hello" })).status).toBe(200);
  });
});

describe("a call that may hold more than one may", () => {
  it("is over_limit, with what would fit, which then does", async () => {
    await capped({ max_hold_share: 0.5 });
    const tenant = await makeTenant("tenant");
    const most = Math.floor((POOL / 2 - bound(0)) / 26_128);
    const refused = await completions(tenant, most + 1);
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({
      kind: "over_limit",
      fitting_max_tokens: most,
      message: expect.stringContaining("max_hold_share"),
    });
    expect((await completions(tenant, most)).status).toBe(200);
  });

  it("is clamped where the caller wants that, by an object that never heard of the share too", async () => {
    await capped({ max_hold_share: 0.5 });
    const tenant = await makeTenant("tenant");
    const most = String(Math.floor((POOL / 2 - bound(0)) / 26_128));
    const clamped = await completions(tenant, 990, { "x-neurogate-fit": "true" });
    expect(clamped.status).toBe(200);
    expect(clamped.headers.get("x-neurogate-clamped-max-tokens")).toBe(most);
  });

  it("is quoted so, without being made", async () => {
    await capped({ max_hold_share: 0.5 });
    const tenant = await makeTenant("tenant");
    expect((await quote(tenant, 900)).body).toMatchObject({
      refused_as: "over_limit",
      fits_today: false,
      max_tokens: 900,
    });
    const fitted = await quote(tenant, 900, { "x-neurogate-fit": "true" });
    const most = Math.floor((POOL / 2 - bound(0)) / 26_128);
    expect(fitted.body).toMatchObject({ refused_as: null, max_tokens: most });
    expect((await admin("GET", "/admin/account")).body.pool.leased_micro_neurons).toBe(0);
  });
});

describe("a quote", () => {
  it("says when a call would go beyond the tenant's share of what is unspent", async () => {
    await capped({ max_unspent_share: 0.3 });
    const tenant = await makeTenant("tenant");
    expect((await quote(tenant, 600)).body).toMatchObject({ refused_as: null });
    const other = await makeTenant("other");
    await completions(other, 5);
    vi.setSystemTime(NOW + SECOND);
    expect((await quote(tenant, 600)).body).toMatchObject({
      refused_as: "quota_reserved",
      fits_today: true,
    });
    expect((await quote(tenant, 100)).body).toMatchObject({ refused_as: null });
    expect((await completions(tenant, 600)).body.error.kind).toBe("quota_reserved");
    expect((await completions(tenant, 100)).status).toBe(200);
  });
});
