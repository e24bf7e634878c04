import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toQuote } from "../../src/api/native/quote.ts";
import { admin, makeTenant } from "../client.ts";
import {
  aTenant,
  broken,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  NOW,
  PICTURE,
  PLATFORM,
  pictures,
  rows,
  stopClock,
} from "./a-tenant.ts";

// `monthly_cap_neurons`, in a tenant's object and on the wire. NOW is a 20th of November.

const DECEMBER = Date.UTC(2036, 11, 1);

const cap = (most: number) => ({ monthly_cap_neurons: (most * PICTURE) / 1e6 });

beforeEach(() => stopClock());
afterEach(cleanUp);

describe("the cap of a month", () => {
  it("holds over its days, also under concurrency and after an eviction", async () => {
    const tenant = await aTenant({ plan: "paid", ...cap(3) });
    await tenant.settle(await tenant.hold());
    vi.setSystemTime(NOW + DAY_MS);
    const replies = await Promise.all(Array.from({ length: 6 }, () => tenant.admit()));
    const holds = replies.flatMap((reply) => (reply.kind === "admitted" ? [reply.hold] : []));
    expect(holds).toHaveLength(2);
    expect(replies.filter(({ kind }) => kind === "quota_reserved")).toHaveLength(4);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await tenant.admit()).toMatchObject({
      kind: "quota_reserved",
      policy: "monthly",
      neurons: { month: { posted: PICTURE, pending: 2 * PICTURE } },
    });
    for (const hold of holds) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.settle(hold);
    }
    expect(await tenant.admit()).toMatchObject({
      kind: "overage_cap_exceeded",
      policy: "monthly",
      neurons: { month: { limit: 3 * PICTURE, posted: 3 * PICTURE, endsAtMs: DECEMBER } },
    });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("begins anew with the month, and counts a call by its day", async () => {
    const tenant = await aTenant(cap(1));
    vi.setSystemTime(DECEMBER - 1000);
    const late = await tenant.hold();
    vi.setSystemTime(DECEMBER + 1000);
    // What November still holds is nothing to December.
    const early = await tenant.hold();
    await tenant.settle(late);
    expect((await tenant.limits()).month).toMatchObject({ posted: 0, pending: PICTURE });
    await tenant.settle(early);
    expect(await tenant.admit()).toMatchObject({ kind: "quota_exceeded", policy: "monthly" });
    expect((await tenant.limits()).month).toMatchObject({ posted: PICTURE, pending: 0 });
  });

  it("can be raised, lowered and taken away", async () => {
    const tenant = await aTenant(cap(1));
    await tenant.settle(await tenant.hold());
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    const asked = { kind: "moderation", contents: [pictures(1)], policyName: null } as const;
    const quoted = expectKind(await tenant.stub().quote(PLATFORM, asked), "quoted");
    expect(toQuote(quoted, "/v1/verdicts")).toMatchObject({
      fits_today: false,
      refused_as: "quota_exceeded",
      available_micro_neurons: 0,
    });
    await tenant.configure(cap(2));
    await tenant.settle(await tenant.hold());
    await tenant.configure(cap(1));
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    await tenant.configure({ monthly_cap_neurons: null });
    expect((await tenant.admit()).kind).toBe("admitted");
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("is read of the month's rows once, whatever else is there", async () => {
    const tenant = await aTenant(cap(40));
    for (const [day, posted] of [
      [DAY - 20, 7],
      [DAY - 19, 5],
      [DAY - 1, 3],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- three rows
      await rows(
        tenant.id,
        `INSERT INTO periods VALUES (${day}, ${posted}, 0, 0, ${posted}, '{"calls":0,"overrun":0,"models":{},"overageByRate":{},"refused":{}}')`,
      );
    }
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    // The first of the three is the last of October.
    expect((await tenant.limits()).month.posted).toBe(8);
  });

  it("knows a tenant whose settings are older than it", async () => {
    const tenant = await aTenant();
    await rows(
      tenant.id,
      "UPDATE tenant SET settings = json_remove(settings, '$.monthly_cap_neurons')",
    );
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const read = expectKind(await tenant.stub().readProfile(PLATFORM), "profile");
    expect(read.profile.settings.monthly_cap_neurons).toBeNull();
    expect((await tenant.admit()).kind).toBe("admitted");
  });
});

describe("on the wire", () => {
  const TEXT = { text: "What a lovely morning." };

  it("a refusal has the month's figures, in body, headers and record", async () => {
    const tenant = await makeTenant("capped-month", { daily_neurons: 1000 });
    const first = await tenant.call("POST", "/v1/verdicts", TEXT);
    const used = first.body.micro_neurons as number;
    expect(first.headers.get("RateLimit-Policy")).not.toContain("monthly");
    const raised = { monthly_cap_neurons: used / 1e6 + 100 };
    const patched = await admin("PATCH", "/admin/tenants/capped-month", raised);
    expect(patched.body.monthly_cap_neurons).toBe(raised.monthly_cap_neurons);
    const second = await tenant.call("POST", "/v1/verdicts", TEXT);
    expect(second.headers.get("RateLimit-Policy")).toContain(
      `"monthly";q=${Math.floor(raised.monthly_cap_neurons)};qu="neurons"`,
    );
    expect(second.headers.get("RateLimit-Policy")).toContain(`;w=${30 * 86_400}`);
    expect(Number(second.headers.get("x-neurogate-available-micro-neurons"))).toBe(
      100_000_000 - used,
    );

    const cap50 = { monthly_cap_neurons: 50 };
    await admin("PATCH", "/admin/tenants/capped-month", { ...cap50, plan: "free" });
    await rowsOfDay("capped-month", 49_999_999);
    const refused = await tenant.call("POST", "/v1/verdicts", TEXT);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(refused.headers.get("Retry-After")).toBe(String(Math.ceil((DECEMBER - NOW) / 1000)));
    expect(refused.body).toMatchObject({
      kind: "quota_exceeded",
      "violated-policies": ["monthly"],
      resets_at: new Date(DECEMBER).toISOString(),
      limit_micro_neurons: 50_000_000,
      posted_micro_neurons: 49_999_999,
      available_micro_neurons: 1,
    });
    expect(refused.body.detail).toContain("of this month's 50 are free");
    expect(refused.body.detail).toContain("The month resets at 2036-12-01T00:00:00.000Z.");

    const openai = await tenant.call("POST", "/v1/moderations", { input: TEXT.text });
    expect(openai.body.error).toMatchObject({
      code: "insufficient_quota",
      resets_at: new Date(DECEMBER).toISOString(),
    });
    expect(openai.body.error.message).toContain("this month's");

    const { body: refusals } = await tenant.call("GET", "/v1/refusals");
    expect(refusals.data).toMatchObject([
      { kind: "quota_exceeded", policy: "monthly", count: 2, limit_micro_neurons: 50_000_000 },
    ]);
    const { body: limits } = await tenant.call("GET", "/v1/limits");
    expect(limits.month).toEqual({
      month: "2036-11",
      resets_at: new Date(DECEMBER).toISOString(),
      limit_micro_neurons: 50_000_000,
      posted_micro_neurons: 49_999_999,
      pending_micro_neurons: 0,
      available_micro_neurons: 1,
    });
  });

  it("takes null and six decimals, and no more", async () => {
    await makeTenant("month-settings");
    expect((await patch(12.345678)).body.monthly_cap_neurons).toBe(12.345678);
    expect((await patch(null)).body.monthly_cap_neurons).toBeNull();
    for (const wrong of [-1, 0.1234567, "12", 1e10]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await patch(wrong);
      expect([status, body.errors[0].pointer]).toEqual([400, "#/monthly_cap_neurons"]);
    }
  });
});

const patch = (value: unknown) =>
  admin("PATCH", "/admin/tenants/month-settings", { monthly_cap_neurons: value });

/** As if the day had come to this. */
async function rowsOfDay(tenant: string, amount: number): Promise<void> {
  await rows(tenant, `UPDATE periods SET quota = ${amount}, overage = 0, posted = ${amount}`);
  await evictDurableObject(env.TENANT.getByName(tenant));
}
