import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, makeTenant } from "../client.ts";
import {
  account,
  aTenant,
  cleanUp,
  HOUR,
  kindOf,
  MINUTE,
  NOW,
  PICTURE,
  stopClock,
} from "../durable-objects/a-tenant.ts";

// The account that all tenants share, over its routes.

beforeEach(() => stopClock());
afterEach(cleanUp);

const N = 1_000_000;
const read = async () => (await admin("GET", "/admin/account")).body;

describe("GET /admin/account", () => {
  it("shows what is promised, leased, spent and free", async () => {
    await makeTenant("acme", { daily_neurons: 2000, reserved_neurons: 500 });
    const other = await makeTenant("other", { plan: "paid", daily_neurons: 9000 });
    expect((await other.call("POST", "/v1/verdicts", { text: "hello" })).status).toBe(200);
    const found = await read();
    expect(found).toMatchObject({
      object: "account",
      cloudflare_plan: "free",
      day: "2036-11-20",
      resets_at: "2036-11-21T00:00:00.000Z",
      allocation_micro_neurons: 10_000 * N,
      pool: { size_micro_neurons: 10_000 * N, margin_micro_neurons: 0 },
      floors_micro_neurons: 500 * N,
      promised_micro_neurons: 2000 * N,
      closure: null,
      warnings: [],
    });
    const { pool } = found;
    expect(pool.leased_micro_neurons).toBeGreaterThan(0);
    expect(
      pool.spent_micro_neurons +
        pool.held_micro_neurons +
        pool.leased_micro_neurons +
        pool.free_micro_neurons,
    ).toBe(10_000 * N);
    expect(found.tenant_count).toBe(2);
    expect(found.tenants).toBeUndefined();
    const [acme, second] = (await admin("GET", "/admin/account/tenants")).body.data;
    expect(acme).toEqual({
      tenant: "acme",
      granted_micro_neurons: 0,
      spent_micro_neurons: 0,
      held_micro_neurons: 0,
      leased_micro_neurons: 0,
      reserved_micro_neurons: 500 * N,
      promised_micro_neurons: 2000 * N,
      reported_at: null,
    });
    expect(second.granted_micro_neurons).toBe(pool.leased_micro_neurons);
    const judged = found.rates.find(({ name }: { name: string }) => name === "text_generation");
    expect(judged).toMatchObject({ limit: 300, remaining: 299 });
  });

  it("shows since when the day is closed, and when that is looked at again", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold(), { account: "exhausted", verdicts: [] });
    await vi.waitUntil(async () => (await read()).closure !== null);
    expect((await read()).closure).toEqual({
      closed_at: new Date(NOW).toISOString(),
      probe_at: new Date(NOW + 15 * MINUTE).toISOString(),
    });
    await admin("POST", "/admin/account/reopen");
    expect((await read()).closure).toBeNull();
  });
});

describe("PATCH /admin/account", () => {
  it("merges, takes null for the default, and is audited", async () => {
    const first = await admin("PATCH", "/admin/account", {
      daily_cap_neurons: 100.5,
      rpm: { text_generation: 50, image_to_text: 10 },
      safety_margin_neurons: 0.5,
      thresholds: [0.5],
    });
    expect(first.status).toBe(200);
    expect(first.body.pool).toMatchObject({
      size_micro_neurons: 100 * N,
      margin_micro_neurons: N / 2,
    });
    const second = await admin("PATCH", "/admin/account", {
      daily_cap_neurons: null,
      rpm: { image_to_text: null },
      thresholds: null,
    });
    expect(second.body.settings).toEqual({
      daily_cap_neurons: null,
      monthly_cap_usd: null,
      rpm: { text_generation: 50 },
      safety_margin_neurons: 0.5,
      thresholds: [0.8, 0.95],
      max_hold_share: 0.2,
      max_unspent_share: 0.333,
    });
    const { body } = await admin("GET", "/admin/audit");
    // Both were recorded in the same millisecond.
    expect(body.data).toContainEqual(
      expect.objectContaining({
        action: "PATCH /admin/account",
        detail: { fields: ["daily_cap_neurons", "rpm", "thresholds"] },
      }),
    );
  });

  it.each([
    [{ daily_cap_neurons: -1 }, "#/daily_cap_neurons"],
    [{ daily_cap_neurons: 0.000_000_1 }, "#/daily_cap_neurons"],
    [{ monthly_cap_usd: "ten" }, "#/monthly_cap_usd"],
    [{ rpm: { requests_of_all: 1 } }, "#/rpm/requests_of_all"],
    [{ thresholds: [2] }, "#/thresholds/0"],
    [{ max_hold_share: 0 }, "#/max_hold_share"],
    [{ max_hold_share: 1.01 }, "#/max_hold_share"],
    [{ max_hold_share: "0.5" }, "#/max_hold_share"],
    [{ max_unspent_share: -0.2 }, "#/max_unspent_share"],
    [{ max_unspent_share: 0 }, "#/max_unspent_share"],
    [{ cap: 1 }, "#/cap"],
  ])("refuses %j", async (body, pointer) => {
    const refused = await admin("PATCH", "/admin/account", body);
    expect(refused.status).toBe(400);
    expect(refused.body.errors[0].pointer).toBe(pointer);
  });

  it("takes shares from above 0 to 1, and null for their defaults", async () => {
    const shares = { max_hold_share: 1, max_unspent_share: 0.01 };
    expect((await admin("PATCH", "/admin/account", shares)).body.settings).toMatchObject(shares);
    expect((await read()).settings).toMatchObject(shares);
    const nulls = { max_hold_share: null, max_unspent_share: null };
    expect((await admin("PATCH", "/admin/account", nulls)).body.settings).toMatchObject({
      max_hold_share: 0.2,
      max_unspent_share: 0.333,
    });
  });

  it("takes a margin that was measured, where that is the larger", async () => {
    await account().setSafetyMargin((40 * N) as never);
    expect((await read()).pool.size_micro_neurons).toBe(9960 * N);
    const patched = await admin("PATCH", "/admin/account", { safety_margin_neurons: 60 });
    expect(patched.body.pool.size_micro_neurons).toBe(9940 * N);
  });
});

const put = (id: string, body: object) => admin("PUT", `/admin/tenants/${id}`, body);

describe("warnings", () => {
  it("say that more is promised than there is, and refuse nothing", async () => {
    const first = await put("first", { plan: "free", daily_neurons: 10_000 });
    expect(first.body.warnings).toEqual([]);
    const second = await put("second", { plan: "free", daily_neurons: 1 });
    expect(second.status).toBe(201);
    expect(second.body.warnings).toEqual([
      {
        kind: "promised_above_pool",
        detail: expect.stringContaining("10001"),
        promised_micro_neurons: 10_001 * N,
        available_micro_neurons: 10_000 * N,
      },
    ]);
    const patched = await admin("PATCH", "/admin/tenants/second", { reserved_neurons: 10_001 });
    expect(patched.body.warnings.map(({ kind }: { kind: string }) => kind)).toEqual([
      "floors_above_pool",
      "promised_above_pool",
    ]);
    await admin("DELETE", "/admin/tenants/second");
    expect((await read()).warnings).toEqual([]);
  });
});

describe("a suspended tenant", () => {
  it("is promised nothing, and keeps nothing free, until it is back", async () => {
    await put("asleep", { plan: "free", daily_neurons: 6000, reserved_neurons: 5000 });
    await put("awake", { plan: "free", daily_neurons: 6000 });
    expect((await read()).warnings).toHaveLength(1);
    const suspended = await admin("PATCH", "/admin/tenants/asleep", { suspended: true });
    expect(suspended.body.warnings).toEqual([]);
    expect(await read()).toMatchObject({
      floors_micro_neurons: 0,
      promised_micro_neurons: 6000 * N,
      warnings: [],
    });
    // What was kept for it is free for others.
    const shares = { max_hold_share: 1, max_unspent_share: 1 };
    await admin("PATCH", "/admin/account", { daily_cap_neurons: 10, ...shares });
    const other = await aTenant();
    expect(await kindOf(other, Math.floor((10 * N) / PICTURE))).toBe("admitted");
    await admin("PATCH", "/admin/account", { daily_cap_neurons: null });
    const back = await admin("PATCH", "/admin/tenants/asleep", { suspended: false });
    expect(back.body.warnings).toHaveLength(1);
    expect((await read()).floors_micro_neurons).toBe(5000 * N);
  });

  it("is counted as what it is after a PUT that suspends it", async () => {
    await put("asleep", { plan: "free", daily_neurons: 600, reserved_neurons: 500 });
    const body = { plan: "free", daily_neurons: 600, reserved_neurons: 500, suspended: true };
    await put("asleep", body);
    await put("new", { ...body, daily_neurons: 700 });
    expect(await read()).toMatchObject({ floors_micro_neurons: 0, promised_micro_neurons: 0 });
  });
});

const told = async () =>
  (await admin("GET", "/admin/events")).body.data.map(
    ({ data }: { data: { threshold: number } }) => data.threshold,
  );

describe("thresholds", () => {
  it("are told once a day each, when so much is spent", async () => {
    const hook = { url: "https://hooks.platform.dev/", events: ["account.threshold"] };
    expect((await admin("POST", "/admin/webhooks", hook)).status).toBe(201);
    await admin("PATCH", "/admin/account", {
      daily_cap_neurons: 20,
      thresholds: [0.2, 0.4],
      max_hold_share: 1,
    });
    const tenant = await makeTenant("spender");
    const say = () => tenant.call("POST", "/v1/verdicts", { text: "hello there" });
    for (let at = 0; at < 12; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await say();
      vi.setSystemTime(NOW + at * 1000);
    }
    expect(await told()).toEqual([0.2, 0.4]);
    vi.setSystemTime(NOW + 24 * HOUR);
    expect((await say()).status).toBe(200);
  });
});
