import { afterEach, describe, expect, it, vi } from "vitest";
import { admin, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { arrived, scripted, unique } from "./scripted.ts";

// What an engine can do to a call, through the real `Ai` class, over HTTP: the contract, section 6.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

/** What upstream says of the account's allocation closes the day to every tenant. */
afterEach(async () => void (await admin("POST", "/admin/account/reopen")));

const newTenant = (): Promise<TestTenant> => makeTenant(`engine-${unique()}`);

interface Ending {
  /** What both models do. */
  readonly behaviour: string;
  readonly status: "evaluated" | "failed";
  /** Why it failed, as the stages say. */
  readonly failure?: { readonly kind: string; readonly upstream_status?: number };
  readonly outcome: "posted" | "voided";
  /** Charged: nothing, the bound of what was held, or what was reported and estimated. */
  readonly charge: "nothing" | "bound" | "used";
  /** Of the items, sentiment first. */
  readonly bases: readonly [string, string];
  /** Calls that reach the engine, of both stages. */
  readonly calls: number;
}

const REFUSED = {
  status: "failed",
  outcome: "voided",
  charge: "nothing",
  bases: ["measured", "measured"],
} as const;
const LOST = { status: "failed", outcome: "posted", charge: "bound", calls: 2 } as const;

const ENDINGS: readonly Ending[] = [
  {
    behaviour: "3036",
    failure: { kind: "account_exhausted", upstream_status: 429 },
    ...REFUSED,
    calls: 2,
  },
  {
    behaviour: "4006",
    failure: { kind: "account_exhausted", upstream_status: 429 },
    ...REFUSED,
    calls: 2,
  },
  { behaviour: "5007", failure: { kind: "refused", upstream_status: 400 }, ...REFUSED, calls: 2 },
  { behaviour: "5016", failure: { kind: "refused", upstream_status: 403 }, ...REFUSED, calls: 2 },
  {
    behaviour: "errors:5007",
    failure: { kind: "refused", upstream_status: 400 },
    ...REFUSED,
    calls: 2,
  },
  {
    behaviour: "3040",
    failure: { kind: "no_capacity", upstream_status: 429 },
    ...REFUSED,
    calls: 4,
  },
  {
    behaviour: "3040,ok",
    status: "evaluated",
    outcome: "posted",
    charge: "used",
    bases: ["estimated", "measured"],
    calls: 4,
  },
  {
    behaviour: "500",
    failure: { kind: "upstream_error", upstream_status: 500 },
    status: "failed",
    outcome: "posted",
    charge: "nothing",
    bases: ["measured", "measured"],
    calls: 2,
  },
  { behaviour: "malformed", failure: { kind: "upstream_error" }, ...LOST, bases: ["held", "held"] },
  { behaviour: "drop", failure: { kind: "upstream_error" }, ...LOST, bases: ["held", "held"] },
  { behaviour: "drop_body", failure: { kind: "upstream_error" }, ...LOST, bases: ["held", "held"] },
  { behaviour: "not_json", failure: { kind: "upstream_error" }, ...LOST, bases: ["held", "held"] },
  {
    behaviour: "json_mode",
    failure: { kind: "malformed_answer" },
    ...LOST,
    bases: ["held", "held"],
  },
  {
    behaviour: "judge=no_usage",
    status: "evaluated",
    outcome: "posted",
    charge: "used",
    bases: ["estimated", "held"],
    calls: 2,
  },
];

describe.each(ENDINGS)("an engine that does: $behaviour", (ending) => {
  it("gives a verdict that says so, and a line that charges for no more than ran", async () => {
    const tenant = await newTenant();
    const content = scripted(ending.behaviour);
    const reply = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });

    expect(reply.status).toBe(200);
    const evaluated = ending.status === "evaluated";
    expect(reply.body).toMatchObject({
      decision: evaluated ? "allow" : "flag",
      approved: evaluated,
      coverage: { toxicity: ending.status, spam: "evaluated", nsfw: "not_required" },
      review: { state: evaluated ? "none" : "open" },
    });
    for (const name of ["sentiment", "judge"]) {
      const stage = reply.body.stages.find((one: { name: string }) => one.name === name);
      expect(stage.failure).toEqual(ending.failure ?? null);
    }
    expect(reply.body.scores.toxicity).toBe(evaluated ? 0 : undefined);
    expect(reply.body.reasons.map((reason: { kind: string }) => reason.kind)).toEqual(
      evaluated ? [] : ["unavailable"],
    );
    expect(await content.asked()).toHaveLength(ending.calls);
    await expectCharged(tenant, reply, ending);
    // Stored as it was returned.
    const read = await tenant.call("GET", `/v1/verdicts/${reply.body.id}`);
    expect(read.body).toEqual(reply.body);
  });

  it("flags it in OpenAI's shape, as what nobody evaluated", async () => {
    const tenant = await newTenant();
    const { text } = scripted(ending.behaviour);
    const { status, body } = await tenant.onWorkersAi("POST", "/v1/moderations", { input: text });

    expect(status).toBe(200);
    const [result] = body.results;
    const evaluated = ending.status === "evaluated";
    expect(result.flagged).toBe(!evaluated);
    const crossed = Object.keys(result.categories).filter((key) => result.categories[key]);
    expect(crossed).toEqual(evaluated ? [] : ["unevaluated"]);
    expect(result.category_applied_input_types.hate).toEqual(evaluated ? ["text"] : []);
    expect(result.neurogate).toMatchObject({
      approved: evaluated,
      coverage: { toxicity: ending.status },
    });
  });
});

async function expectCharged(tenant: TestTenant, reply: Reply, ending: Ending): Promise<void> {
  const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
  const charged = {
    nothing: 0,
    bound: line.held_micro_neurons,
    used: reply.body.micro_neurons,
  }[ending.charge];
  expect(line).toMatchObject({
    outcome: ending.outcome,
    verdict_id: reply.body.id,
    micro_neurons: charged,
    overrun_micro_neurons: 0,
  });
  expect(line.items.map(({ basis }: { basis: string }) => basis)).toEqual(ending.bases);
  expect(reply.body.micro_neurons).toBe(charged);
  expect(reply.headers.get("x-neurogate-micro-neurons")).toBe(String(charged));
  if (ending.charge === "used") {
    expect(charged).toBeGreaterThan(0);
    expect(charged).toBeLessThan(line.held_micro_neurons);
  }
  const limits = await tenant.call("GET", "/v1/limits");
  expect(limits.body).toMatchObject({ posted_micro_neurons: charged, pending_micro_neurons: 0 });
}

describe("an engine that says nothing", () => {
  afterEach(() => void vi.useRealTimers());

  it("is given up: timed out, charged at the bound, never repeated", async () => {
    const tenant = await newTenant();
    const content = scripted("hang");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });
    await arrived(content, 2);
    vi.advanceTimersByTime(25_000);
    const reply = await answer;
    vi.useRealTimers();

    expect(reply.body).toMatchObject({
      decision: "flag",
      approved: false,
      coverage: { toxicity: "timed_out", negativity: "timed_out" },
      reasons: [
        {
          kind: "unavailable",
          category: "toxicity",
          input: "text",
          score: null,
          threshold: null,
          message: "The judge did not answer in time; this policy flags what it could not check.",
        },
      ],
    });
    const judge = reply.body.stages.find(({ name }: { name: string }) => name === "judge");
    expect(judge).toMatchObject({ status: "timed_out", scores: {}, basis: "held", model: LLAMA });
    expect(await content.asked()).toHaveLength(2);
    const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
    expect(line).toMatchObject({ outcome: "posted", micro_neurons: line.held_micro_neurons });
  });

  it("is not waited for by a judge's fallback", async () => {
    const tenant = await newTenant();
    await withFallback(tenant);
    const content = scripted("judge=hang,ok");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });
    await arrived(content, 2);
    vi.advanceTimersByTime(25_000);
    const { body } = await answer;

    expect(body.coverage.toxicity).toBe("timed_out");
    expect(await content.asked()).not.toContain(GEMMA);
  });
});

describe("usage beyond the bound", () => {
  it("is the platform's: the tenant pays its hold, and the invariants say so", async () => {
    const tenant = await newTenant();
    const { text } = scripted("judge=huge_usage");
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });

    expect(body).toMatchObject({ decision: "allow", approved: true });
    const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
    const judge = line.items.find(({ stage }: { stage: string }) => stage === "judge");
    expect(judge).toMatchObject({ basis: "measured", units: { input_token: 9_000_000 } });
    expect(line.micro_neurons).toBeLessThanOrEqual(line.held_micro_neurons);
    // 9,000,000 tokens each at 13,778 and 26,128, less what was charged for them.
    expect(line.overrun_micro_neurons).toBe(9e6 * (13_778 + 26_128) - judge.micro_neurons);
    const invariants = await tenant.call("GET", "/v1/invariants");
    expect(invariants.body.holds).toBe(false);
    expect(invariants.body.data).toContainEqual(
      expect.objectContaining({ name: "charged_within_hold", violations: 1 }),
    );
  });
});

describe("the Cloudflare account's own allocation", () => {
  it.each(["3036", "4006"])("after %s closes the day, until it is reopened", async (code) => {
    const tenant = await newTenant();
    await tenant.onWorkersAi("POST", "/v1/verdicts", { text: scripted(code).text });
    const next = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: scripted("ok").text });

    expect(next.status).toBe(429);
    expect(next.body).toMatchObject({
      kind: "account_quota_exceeded",
      "violated-policies": ["account"],
    });
    expect(next.headers.get("x-should-retry")).toBe("false");
    expect(Number(next.headers.get("Retry-After"))).toBeGreaterThan(0);
    const drop = await tenant.onWorkersAi("POST", "/v1/moderations", { input: "hello there" });
    expect(drop.body.error).toMatchObject({
      type: "insufficient_quota",
      code: "insufficient_quota",
      kind: "account_quota_exceeded",
    });
    expect((await admin("POST", "/admin/account/reopen")).body.tenants).toBeGreaterThan(0);
    // This one knew that it was closed: the alarm tells it.
    const again = () => tenant.onWorkersAi("POST", "/v1/verdicts", { text: "hello there" });
    await vi.waitUntil(async () => (await again()).status === 200);
  });

  it("is not asked of a fallback: its model would be refused as well", async () => {
    const tenant = await newTenant();
    await withFallback(tenant);
    const content = scripted("judge=3036,ok");
    await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });
    expect(await content.asked()).not.toContain(GEMMA);
  });
});

const withFallback = (tenant: TestTenant): Promise<Reply> =>
  tenant.call("PUT", "/v1/policies/default", { models: { judge: LLAMA, judge_fallback: GEMMA } });

describe("a judge's fallback", () => {
  it.each(["5007,ok", "3040,3040,ok", "429,429,ok"])("is asked after %s", async (behaviour) => {
    const tenant = await newTenant();
    await withFallback(tenant);
    const content = scripted(`judge=${behaviour}`);
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });

    expect(body).toMatchObject({ decision: "allow", approved: true });
    expect((await content.asked()).filter((model) => model === GEMMA)).toHaveLength(1);
    const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
    expect(line.items[1]).toMatchObject({ model: GEMMA, priced_as: GEMMA, basis: "measured" });
    expect(line.overrun_micro_neurons).toBe(0);
  });

  it.each(["500,ok", "malformed,ok", "drop,ok", "other_nonce,ok", "json_mode,ok"])(
    "is not asked after %s: the judge may have run",
    async (behaviour) => {
      const tenant = await newTenant();
      await withFallback(tenant);
      const content = scripted(`judge=${behaviour}`);
      const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: content.text });

      expect(body).toMatchObject({ approved: false, coverage: { toxicity: "failed" } });
      expect(await content.asked()).not.toContain(GEMMA);
    },
  );

  it("is not asked about a text in a language that it does not read", async () => {
    const tenant = await newTenant();
    // Gemma is trusted with Russian, Llama 3.1 is not.
    await tenant.call("PUT", "/v1/policies/default", {
      models: { judge: GEMMA, judge_fallback: LLAMA },
    });
    const content = scripted(
      "judge=5007,ok",
      "Доброе утро всем вам, дорогие друзья и соседи. ".repeat(4),
    );
    const asked = { text: content.text, language: "ru" };
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", asked);

    expect(body).toMatchObject({ approved: false, decision: "flag" });
    expect(await content.asked()).toEqual([GEMMA]);
  });
});

describe("on_unavailable", () => {
  it.each([
    { choice: "flag", decision: "flag", review: "open", actions: [] },
    { choice: "block", decision: "block", review: "open", actions: ["hide_content", "warn_user"] },
    // What broke is never let through.
    { choice: "allow", decision: "flag", review: "open", actions: [] },
  ])("$choice: $decision, and never approved", async ({ choice, ...expected }) => {
    const tenant = await newTenant();
    await tenant.call("PUT", "/v1/policies/default", { on_unavailable: choice });
    const { text } = scripted("judge=5007");
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });

    expect(body).toMatchObject({
      decision: expected.decision,
      approved: false,
      actions: expected.actions,
      review: { state: expected.review },
      reasons: [{ kind: "unavailable", category: "toxicity" }],
    });
  });
});
