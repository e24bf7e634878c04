import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import { askedAbout, unique } from "./scripted.ts";

// Texts that force an outcome, through the routes: nothing is asked and nothing is paid.

let tenant: TestTenant;
let png: string;
beforeAll(async () => {
  tenant = await makeTenant("test-inputs");
  const row = Array.from({ length: 8 }, (_, x) => [x * 30, 80, 200 - x * 20]).flat();
  const rows = Array.from({ length: 8 }, () => row);
  png = (await makePng({ width: 8, height: 8, depth: 8, colour: 2 }, rows)).toBase64();
  await tenant.call("PUT", "/v1/policies/lax", {
    on_unavailable: "allow",
    categories: { toxicity: { ...RULE, inputs: [] }, spam: { ...RULE, inputs: [] } },
  });
  await tenant.call("PUT", "/v1/policies/strict", { on_unavailable: "block" });
});

const RULE = { inputs: ["text"], required: false, flag: null, block: null, ban: null };

const lastLine = async () => (await tenant.call("GET", "/v1/ledger")).body.data[0];

describe("POST /v1/verdicts", () => {
  it.each([
    ["block", "block", ["hide_content", "warn_user"], "none"],
    ["flag", "flag", [], "open"],
    ["unavailable", "flag", [], "open"],
  ] as const)(
    "forces %s: no engine, 0 µN, one line, marked",
    async (test, decision, actions, state) => {
      const before = await tenant.call("GET", "/v1/limits");
      const askedBefore = await askedAbout("neurogate:test");
      const { status, headers, body } = await tenant.onWorkersAi("POST", "/v1/verdicts", {
        text: `neurogate:test:${test}`,
        user_id: "u_1",
        content_id: "c_1",
      });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        test: true,
        decision,
        approved: false,
        actions,
        scores: {},
        stages: [],
        micro_neurons: 0,
        user_id: "u_1",
        content_id: "c_1",
        review: { state },
      });
      expect(body.coverage.toxicity).toBe(test === "unavailable" ? "failed" : "not_evaluated");
      expect(headers.get("x-neurogate-micro-neurons")).toBe("0");
      expect(await lastLine()).toMatchObject({
        outcome: "voided",
        held_micro_neurons: 0,
        micro_neurons: 0,
        items: [],
        verdict_id: body.id,
        user_id: "u_1",
      });
      expect((await tenant.call("GET", `/v1/verdicts/${body.id}`)).body).toEqual(body);
      const after = await tenant.call("GET", "/v1/limits");
      expect(after.body.posted_micro_neurons).toBe(before.body.posted_micro_neurons);
      // It is a call like any other: it takes one request, and nothing of the engines' classes.
      const taken = (name: string) => {
        const rate = (reply: typeof after) =>
          reply.body.rates.find((one: { name: string }) => one.name === name).remaining;
        return rate(before) - rate(after);
      };
      expect([taken("requests"), taken("text_generation")]).toEqual([1, 0]);
      expect(await askedAbout("neurogate:test")).toEqual(askedBefore);
    },
  );

  it("never allows, whatever the policy lets through", async () => {
    for (const test of ["block", "flag", "unavailable"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { body } = await tenant.call("POST", "/v1/verdicts", {
        text: `neurogate:test:${test}`,
        policy: "lax",
      });
      expect(body).toMatchObject({
        decision: test === "block" ? "block" : "flag",
        approved: false,
      });
    }
    const strict = { text: "neurogate:test:unavailable", policy: "strict" };
    expect((await tenant.call("POST", "/v1/verdicts", strict)).body.decision).toBe("block");
  });

  it("looks at no picture beside it, and says so", async () => {
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", {
      text: "neurogate:test:flag",
      images: [{ base64: png }, { url: "https://pictures.neurogate.dev/a.png" }],
    });
    expect(body).toMatchObject({
      test: true,
      decision: "flag",
      stages: [],
      micro_neurons: 0,
      coverage: { nsfw: "not_evaluated", weapons: "not_evaluated", toxicity: "not_evaluated" },
    });
  });

  it.each([" neurogate:test:block", "neurogate:test:block\n", "say neurogate:test:block"])(
    "judges any other text: %j",
    async (text) => {
      const { body } = await tenant.call("POST", "/v1/verdicts", { text });
      expect(body.test).toBe(false);
      expect(body.stages.length).toBeGreaterThan(0);
    },
  );

  it("is given again under its idempotency key", async () => {
    const asked = [{ text: "neurogate:test:block" }, { "Idempotency-Key": "t" }] as const;
    const first = await tenant.call("POST", "/v1/verdicts", ...asked);
    const again = await tenant.call("POST", "/v1/verdicts", ...asked);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body).toEqual(first.body);
  });

  it("is quoted at nothing", async () => {
    const { body } = await tenant.call("POST", "/v1/quote", {
      path: "/v1/verdicts",
      body: { text: "neurogate:test:block", images: [{ base64: png }] },
    });
    expect(JSON.stringify(body)).toContain('"stages":[]');
  });

  it("is refused like any other call", async () => {
    const poor = await makeTenant("test-inputs-rate", { rpm: { requests: 1 } });
    const send = () => poor.call("POST", "/v1/verdicts", { text: "neurogate:test:flag" });
    expect((await send()).status).toBe(200);
    expect((await send()).body.kind).toBe("rate_limited");
    expect((await poor.call("GET", "/v1/ledger")).body.data).toHaveLength(1);
  });

  it("leaves every invariant at zero", async () => {
    const { body } = await tenant.call("GET", "/v1/invariants");
    expect(body.holds).toBe(true);
  });
});

describe("POST /v1/moderations", () => {
  it("forces each input that is one, and judges the others", async () => {
    const { body } = await tenant.call("POST", "/v1/moderations", {
      input: [
        "neurogate:test:block",
        "Nice to meet you all here today",
        "neurogate:test:flag",
        "neurogate:test:unavailable",
      ],
    });
    expect(
      body.results.map(({ neurogate }: never) => (neurogate as { test: boolean }).test),
    ).toEqual([true, false, true, true]);
    expect(body.results.map(({ flagged }: never) => flagged as boolean)).toEqual([
      true,
      false,
      true,
      true,
    ]);
    const crossed = body.results.map(({ categories }: { categories: Record<string, boolean> }) =>
      Object.keys(categories).filter((key) => categories[key]),
    );
    expect(crossed).toEqual([["test"], [], ["test"], ["test", "unevaluated"]]);
    // Only what was judged has items, under the content that it is.
    const { items } = await lastLine();
    expect(items.length).toBeGreaterThan(0);
    expect(items).toHaveLength(2);
  });

  it("forces the text beside pictures, which are not looked at", async () => {
    const { body } = await tenant.onWorkersAi("POST", "/v1/moderations", {
      input: [
        { type: "text", text: "neurogate:test:block" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
      ],
    });
    expect(body.results[0]).toMatchObject({ flagged: true, neurogate: { test: true } });
    expect(body.neurogate.micro_neurons).toBe(0);
  });
});

describe("a guarded chat", () => {
  it("is not forced: its prompt and its answer are judged as they are", async () => {
    await tenant.call("PUT", "/v1/policies/guarding", { guard: { input: "block" } });
    const { status, body } = await tenant.onWorkersAi("POST", "/v1/chat/completions", {
      model: "@cf/meta/llama-3.1-8b-instruct-fp8",
      messages: [{ role: "user", content: "neurogate:test:block" }],
      neurogate: { policy: "guarding" },
      user: unique(),
    });
    expect(status).toBe(200);
    expect(body.choices[0].finish_reason).not.toBe("content_filter");
  });
});
