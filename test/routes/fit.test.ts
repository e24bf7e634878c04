import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { AdmitReply, GenerationAdmit } from "../../durable-objects/tenant/protocol.ts";
import { newId } from "../../src/http/ids.ts";
import { tenantObject } from "../../src/edge/bindings.ts";
import { makeTenant, type Reply, type TestTenant } from "../client.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8"; // 13,778 in, 26,128 out; 64 and 16 tokens

let made = 0;
const aTenant = (settings: object): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`fit-${made}`, { ...settings });
};

afterEach(() => reset());

const path = "/v1/chat/completions";
const asking = (max_tokens: number, more: object = {}) => ({
  model: LLAMA,
  messages: [{ role: "user", content: "Hello there" }],
  max_tokens,
  ...more,
});
/** 11 bytes, 40 for the template and 8 for the message, as the catalogue has them for llama. */
const INPUT = (11 + 40 + 8) * 13_778;
const bound = (tokens: number): number => INPUT + tokens * 26_128;
const neurons = (micro: number): number => micro / 1e6;
const FIT = { "x-neurogate-fit": "true" };
const clampedTo = ({ headers }: Reply): string | null =>
  headers.get("x-neurogate-clamped-max-tokens");

/** A call in progress that holds so much: admitted, and not settled. */
const admit = (
  tenant: TestTenant,
  maxTokens: number,
  { fit = false, text = 11 } = {},
): Promise<AdmitReply> => {
  const request: GenerationAdmit = {
    kind: "generation",
    callId: newId("jnl"),
    requestId: newId("req"),
    route: `POST ${path}`,
    caller: { kind: "platform" },
    userId: null,
    context: null,
    idempotency: null,
    model: LLAMA,
    measured: {
      kind: "chat",
      chat: { textTokens: text, messages: 1, images: 0 },
      maxTokens,
      choices: 1,
    },
    fit,
    streamed: false,
    guard: null,
  };
  return tenantObject(env, tenant.id).admit(request);
};

describe("a chat that is too dear", () => {
  it.each([
    ["over_limit", { daily_neurons: neurons(bound(70)) }, 0, 400],
    ["quota_exceeded", { daily_neurons: neurons(bound(400)) }, 1, 429],
    [
      "overage_cap_exceeded",
      { plan: "paid", daily_neurons: 0, overage_cap_neurons: neurons(bound(400)) },
      1,
      429,
    ],
  ])(
    "is refused as %s, with what would fit, which then does",
    async (kind, settings, calls, status) => {
      const tenant = await aTenant(settings);
      if (calls > 0) expect((await tenant.call("POST", path, asking(300))).status).toBe(200);
      const refused = await tenant.call("POST", path, asking(400));
      expect([refused.status, refused.body.error.kind]).toEqual([status, kind]);
      const most = refused.body.error.fitting_max_tokens;
      expect(refused.body.error.message).toContain(
        `An answer of at most ${most} tokens would fit now.`,
      );
      const limits = (await tenant.call("GET", "/v1/limits")).body;
      expect(most).toBe(Math.floor((limits.available_micro_neurons - INPUT) / 26_128));
      expect((await tenant.call("POST", path, asking(most + 1))).status).toBe(status);
      expect((await tenant.call("POST", path, asking(most))).status).toBe(200);
    },
  );

  it("is told so too where only calls in progress stand in the way", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(bound(100) + bound(20) + 5) });
    expect((await admit(tenant, 100)).kind).toBe("admitted");
    const refused = await tenant.call("POST", path, asking(50));
    expect(refused.body.error).toMatchObject({ kind: "quota_reserved", fitting_max_tokens: 20 });
    expect((await tenant.call("POST", path, asking(20))).status).toBe(200);
  });

  it("is told of nothing where not even one token fits, nor of a rate", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(INPUT) });
    const refused = await tenant.call("POST", path, asking(50));
    expect(refused.body.error.kind).toBe("over_limit");
    expect(refused.body.error).not.toHaveProperty("fitting_max_tokens");
    const slow = await aTenant({ daily_neurons: 1000, rpm: { requests: 1 } });
    await slow.call("POST", path, asking(5));
    const limited = await slow.call("POST", path, asking(5));
    expect(limited.body.error.kind).toBe("rate_limited");
    expect(limited.body.error).not.toHaveProperty("fitting_max_tokens");
  });

  it("is not told so for what has no max_tokens", async () => {
    const tenant = await aTenant({ daily_neurons: 0.001 });
    const body = { model: "@cf/baai/bge-small-en-v1.5", input: "hello" };
    const refused = await tenant.call("POST", "/v1/embeddings", body);
    expect(refused.body.error.kind).toBe("over_limit");
    expect(refused.body.error).not.toHaveProperty("fitting_max_tokens");
  });
});

describe("x-neurogate-fit", () => {
  it("cuts to what is left, says so, and is within the quota", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(bound(70) + 26_127) });
    const reply = await tenant.onWorkersAi("POST", path, asking(4000), FIT);
    expect(reply.status).toBe(200);
    expect(clampedTo(reply)).toBe("70");
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(line.held_micro_neurons).toBe(bound(70));
    expect(line.overrun_micro_neurons).toBe(0);
  });

  it("says nothing where nothing is cut", async () => {
    const tenant = await aTenant({ daily_neurons: 1000 });
    expect(clampedTo(await tenant.call("POST", path, asking(70), FIT))).toBeNull();
    const paid = await aTenant({ plan: "paid", daily_neurons: 0 });
    expect(clampedTo(await paid.call("POST", path, asking(4000), FIT))).toBeNull();
  });

  it("counts in a quote as in the call", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(bound(70)) });
    const body = { path, body: asking(4000) };
    const plain = await tenant.call("POST", "/v1/quote", body);
    expect(plain.body).toMatchObject({ max_tokens: 4000, refused_as: "over_limit" });
    const fit = await tenant.call("POST", "/v1/quote", body, FIT);
    expect(fit.body).toMatchObject({ max_tokens: 70, fits_today: true, refused_as: null });
    expect(fit.body.max_micro_neurons).toBe(bound(70));
  });

  it("of a stream is in its headers", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(bound(70)) });
    const reply = await tenant.call("POST", path, asking(4000, { stream: true }), FIT);
    expect([reply.status, clampedTo(reply)]).toEqual([200, "70"]);
  });

  it("is within the quota with any number of calls at once, and uses all of it", async () => {
    const anyCall = fc.record({
      maxTokens: fc.integer({ min: 1, max: 400 }),
      text: fc.nat(200),
      fit: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyCall, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 40_000_000 }),
        async (calls, limit) => {
          const tenant = await aTenant({ daily_neurons: neurons(limit), max_in_flight: 100 });
          const replies = await Promise.all(
            calls.map(({ maxTokens, ...more }) => admit(tenant, maxTokens, more)),
          );
          const held = replies.map((reply) => (reply.kind === "admitted" ? reply.hold.held : 0));
          const total = held.reduce<number>((sum, amount) => sum + amount, 0);
          expect(total).toBeLessThanOrEqual(limit);
          // Who was refused under fit could not have had one token of what is left now.
          for (const [at, { fit, text }] of calls.entries()) {
            if (!fit || replies[at]?.kind === "admitted") continue;
            expect((text + 48) * 13_778 + 26_128).toBeGreaterThan(limit - total);
          }
          const { body } = await tenant.call("GET", "/v1/invariants");
          expect(body.holds).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });
});
