import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JournalLine } from "../../src/domain/ledger/ledger.ts";
import { ask } from "../client.ts";
import {
  amountOf,
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  expectKind,
  itemsOf,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  SECOND,
  stopClock,
  TEXT,
} from "./a-tenant.ts";

beforeEach(() => stopClock());
afterEach(cleanUp);

const neurons = (microNeurons: number): number => microNeurons / 1e6;

/** One picture, admitted and settled. */
async function post(tenant: ATenant): Promise<JournalLine> {
  const hold = await tenant.hold();
  const { settlement } = await tenant.settle(hold);
  return expectKind(settlement, "settled").line;
}

const drawnOf = ({ drawn, overageUsdPer1000 }: JournalLine) => ({
  quota: drawn.quota,
  overage: drawn.overage,
  rate: overageUsdPer1000,
});

describe("from free to paid", () => {
  it("admits overage at its rate, and splits the line that crosses exactly", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(1.5 * 228_056) });
    await post(tenant);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");

    await tenant.configure({ plan: "paid" });
    const left = 342_084 - PICTURE;
    expect(drawnOf(await post(tenant))).toEqual({
      quota: left,
      overage: PICTURE - left,
      rate: "0.011",
    });
    expect(drawnOf(await post(tenant))).toEqual({ quota: 0, overage: PICTURE, rate: "0.011" });
    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ limit: null, available: null });
    expect(limits.overage.drawn).toBe(2 * PICTURE - left);
  });

  it("stops at the overage cap, also under concurrency", async () => {
    const tenant = await aTenant({
      plan: "paid",
      daily_neurons: neurons(PICTURE),
      overage_cap_neurons: neurons(2 * PICTURE),
    });
    const replies = await Promise.all(Array.from({ length: 10 }, () => tenant.admit()));
    const holds = replies.flatMap((reply) => (reply.kind === "admitted" ? [reply.hold] : []));
    expect(holds).toHaveLength(3);
    expect(new Set(replies.map(({ kind }) => kind))).toEqual(
      new Set(["admitted", "quota_reserved"]),
    );
    await Promise.all(holds.map((hold) => tenant.settle(hold)));
    expect(await tenant.admit()).toMatchObject({
      kind: "overage_cap_exceeded",
      neurons: { limit: 3 * PICTURE, posted: 3 * PICTURE, available: 0, dayEndsAtMs: MIDNIGHT },
    });
  });

  it("is a hard stop with a cap of 0", async () => {
    const paid = { plan: "paid", overage_cap_neurons: 0 } as const;
    const tenant = await aTenant({ ...paid, daily_neurons: neurons(PICTURE) });
    expect(drawnOf(await post(tenant))).toEqual({ quota: PICTURE, overage: 0, rate: null });
    expect((await tenant.admit()).kind).toBe("overage_cap_exceeded");
  });
});

describe("back to free", () => {
  it("admits nothing more and re-prices nothing", async () => {
    const tenant = await aTenant({ plan: "paid", daily_neurons: neurons(PICTURE) });
    await post(tenant);
    await post(tenant);
    const open = await tenant.hold();
    const before = await tenant.lines();

    await tenant.configure({ plan: "free" });
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    expect(await tenant.lines()).toEqual(before);
    expect((await tenant.limits()).neurons).toMatchObject({ available: 0, pending: PICTURE });
    // Admitted as paid, posted as free: there is no overage to owe any more.
    const { settlement } = await tenant.settle(open);
    expect(drawnOf(expectKind(settlement, "settled").line)).toMatchObject({
      overage: 0,
      rate: null,
    });
    const after = await tenant.lines();
    expect(after.filter(({ callId }) => callId !== open.callId)).toEqual(before);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("admits again when a raised quota has room", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(2 * PICTURE) });
    await post(tenant);
    await tenant.configure({ daily_neurons: neurons(PICTURE) });
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    await tenant.configure({ daily_neurons: neurons(2 * PICTURE) });
    await post(tenant);
    vi.setSystemTime(MIDNIGHT + SECOND);
    await post(tenant);
  });
});

describe("a changed rate", () => {
  it("is that of the lines posted after it, and usage owes the exact sum", async () => {
    const tenant = await aTenant({
      plan: "paid",
      daily_neurons: 0,
      overage_usd_per_1000_neurons: "0.011",
    });
    const first = await post(tenant);
    const open = await tenant.hold();
    await tenant.configure({ daily_neurons: 0, overage_usd_per_1000_neurons: "0.000123457" });
    const { settlement } = await tenant.settle(open);
    const second = expectKind(settlement, "settled").line;
    expect([first, second].map(drawnOf)).toEqual([
      { quota: 0, overage: PICTURE, rate: "0.011" },
      { quota: 0, overage: PICTURE, rate: "0.000123457" },
    ]);
    expect(await tenant.lines()).toContainEqual(first);

    const usage = await ask("GET", `/admin/tenants/${tenant.id}/usage`, { key: env.ADMIN_TOKEN });
    // 0.228055 N at USD 0.011 and at USD 0.000123457 per 1,000 N.
    const owed = 228_055n * (11_000_000n + 123_457n);
    expect(usage.body.totals).toMatchObject({
      micro_neurons: 2 * PICTURE,
      overage_micro_neurons: 2 * PICTURE,
      charge_usd: `0.${String(owed).padStart(18, "0").replace(/0+$/, "")}`,
    });
    expect(usage.body.totals.charge_usd).toBe("0.000002536759986135");
  });
});

describe("usage", () => {
  it("adds up to the lines, by model and day", async () => {
    const tenant = await aTenant();
    const picture = await tenant.hold();
    await tenant.settle(picture);
    const text = await tenant.hold({ contents: [TEXT] });
    await tenant.settle(text, { items: itemsOf(text, 500) });
    vi.setSystemTime(MIDNIGHT + SECOND);
    await post(tenant);

    const from = new Date(NOW).toISOString().slice(0, 10);
    const to = new Date(MIDNIGHT).toISOString().slice(0, 10);
    const path = `/admin/tenants/${tenant.id}/usage?from=${from}&to=${to}`;
    const { body } = await ask("GET", path, { key: env.ADMIN_TOKEN });
    const rows = body.data as { day: string; model: string; micro_neurons: number }[];
    expect(rows.map(({ day, model, micro_neurons: amount }) => [day, model, amount])).toEqual([
      [from, "@cf/huggingface/distilbert-sst-2-int8", 500],
      [from, "@cf/meta/llama-3.1-8b-instruct-fp8", 500],
      [from, "@cf/microsoft/resnet-50", PICTURE],
      [to, "@cf/microsoft/resnet-50", PICTURE],
    ]);
    const lines = await tenant.lines();
    expect(body.totals).toMatchObject({
      calls: 3,
      micro_neurons: lines.reduce((sum, line) => sum + amountOf(line), 0),
      charge_usd: "0",
    });
    expect((await tenant.stub().listPeriods(PLATFORM, 0, 1)).kind).toBe("periods");
  });
});
