import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  BATCH_ROUTE,
  isShare,
  limitOfClass,
  withShare,
} from "../../src/domain/ledger/rate-limit.ts";
import { runStep } from "../../src/batches/run-step.ts";
import { makeTenant } from "../client.ts";
import { rows } from "./a-tenant.ts";
import { aBatch, KIND, withoutSettlements } from "./a-batch.ts";

// Batches take half of what a tenant may, however they are run, and wait for as long as they are told.

afterEach(() => {
  vi.useRealTimers();
});

const admitted = async (name: string): Promise<number> =>
  (await rows(name, `SELECT id FROM journal WHERE route = '${BATCH_ROUTE}'`)).length;

describe("the share of a rate", () => {
  it("is a class of its own, of half the limit and one at least", () => {
    const units = withShare({ requests: 1, text_generation: 2 });
    expect(units).toEqual({
      requests: 1,
      text_generation: 2,
      "batches/requests": 1,
      "batches/text_generation": 2,
    });
    expect(Object.keys(units).filter(isShare)).toHaveLength(2);
    const limits = [300, 5, 1, 0].map((limit) => limitOfClass("batches/requests", () => limit));
    expect(limits).toEqual([150, 2, 1, 1]);
    expect(limitOfClass("requests", () => 300)).toBe(300);
  });

  it.each([
    ["requests", { requests: 6 }, 3],
    ["a class of engine calls", { requests: 300, text_generation: 4 }, 2],
    ["the least rate there is", { requests: 1 }, 1],
  ])("of %s holds for all batches together", async (of, rpm, share) => {
    const name = `share-${of.replaceAll(" ", "-")}`;
    const tenant = await makeTenant(name, { daily_neurons: 10_000, rpm });
    vi.setSystemTime(Date.now());
    const batches = [await aBatch(name, tenant), await aBatch(name, tenant)];
    for (const { params } of batches) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await runStep(env, params, 0)).toMatchObject({ kind: "wait" });
    }
    expect(await admitted(name)).toBe(share);
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(limits.rates.map((rate: { name: string }) => rate.name).filter(isShare)).toEqual([]);
  });

  it("is waited for as long as its refusal says, and no longer", async () => {
    const rpm = { requests: 20 };
    const tenant = await makeTenant("paced", { daily_neurons: 10_000, rpm });
    // At the beginning of a second, so that the window's end is known: it is counted in seconds.
    const nowMs = Math.ceil(Date.now() / 1000) * 1000 + 5000;
    vi.setSystemTime(nowMs);
    const { params, read } = await aBatch("paced", tenant, { items: 30 });
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
    expect(await runStep(env, params, 1)).toEqual({ kind: "wait", ms: 61_000 });
    vi.setSystemTime(nowMs + 60_999);
    expect(await runStep(env, params, 1)).toMatchObject({ kind: "wait" });
    expect(await admitted("paced")).toBe(10);
    vi.setSystemTime(nowMs + 61_000);
    expect(await runStep(env, params, 1)).toEqual({ kind: "next" });
    expect((await read()).counts).toMatchObject({ succeeded: 20, failed: 0, pending: 10 });
    // It was never turned away: other calls have their half, and nobody asks why it waited.
    expect((await tenant.call("POST", "/v1/verdicts", { text: KIND })).status).toBe(200);
    const { from, to } = { from: "2026-01-01T00:00:00Z", to: "2036-01-01T00:00:00Z" };
    const refusals = await tenant.call("GET", `/v1/refusals?from=${from}&to=${to}`);
    expect(refusals.body.data).toEqual([]);
  });
});

describe("the share of calls in progress", () => {
  it("holds for all batches together", async () => {
    const tenant = await makeTenant("crowded", { daily_neurons: 10_000, max_in_flight: 7 });
    const batches = await Promise.all([1, 2, 3].map(() => aBatch("crowded", tenant)));
    // What is begun stays in progress.
    const steps = batches.map(({ params }) => runStep(withoutSettlements(), params, 0));
    await Promise.allSettled(steps);
    const open = await rows("crowded", "SELECT id FROM journal WHERE outcome = 'pending'");
    expect(open).toHaveLength(3);
  });
});
