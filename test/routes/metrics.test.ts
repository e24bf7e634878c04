import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bucketUpperMs, latencyBucket } from "../../src/domain/usage/latency-histogram.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin, ask, makeTenant } from "../client.ts";
import { parseExposition } from "../parse-exposition.ts";
import { fakeAccount } from "../reconciliation/fake-cloudflare.ts";
import { seedCalls, seedUsage } from "../reconciliation/seed-hours.ts";

const NOW = Date.UTC(2026, 10, 21, 15);
const TODAY = "2026-11-21";
const YESTERDAY = "2026-11-20";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

beforeEach(async () => {
  vi.setSystemTime(NOW);
  await migrateReports(env.REPORTS);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await reset();
});

async function scrape(query = "", other: object = {}) {
  const { status, headers, body } = await ask("GET", `/metrics${query}`, {
    key: env.ADMIN_TOKEN,
    env: { ...other },
  });
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const parsed = parseExposition(body);
  /** The values of a metric by the value of its one label. */
  const values = (name: string): Record<string, number> | undefined => {
    const metric = parsed[`neurogate_${name}`];
    const series = metric?.series[`neurogate_${name}`];
    return series === undefined
      ? undefined
      : Object.fromEntries(
          series.map(({ labels, value }) => [Object.values(labels)[0] ?? "", value]),
        );
  };
  return { text: body as string, parsed, values };
}

/** The account's alarm, which asks tenants. */
const ring = () => runInDurableObject(env.ACCOUNT.getByName("account"), (object) => object.alarm());

const seeded = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ tenant: `t-${at}`, model: `@cf/m/${at}`, at }));
const seed = async (count: number): Promise<void> => {
  await seedCalls(
    ...seeded(count).map(({ tenant, at }) => ({ date: TODAY, tenant, posted: 1, quota: at })),
  );
  await seedUsage(
    ...seeded(count).map(({ tenant, model, at }) => ({
      date: TODAY,
      tenant,
      model,
      microNeurons: at,
    })),
  );
};

describe("GET /metrics", () => {
  it("shows the account's pool where there is one, and what is left of its rates", async () => {
    await makeTenant("pooled", { daily_neurons: 3000, reserved_neurons: 1000 });
    const free = await scrape("", { CLOUDFLARE_PLAN: "free" });
    expect(free.values("pool_size_micro_neurons")).toEqual({ "": 10_000_000_000 });
    const parts = free.values("pool_micro_neurons") ?? {};
    expect(Object.keys(parts)).toEqual(["spent", "held", "leased", "free"]);
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(10_000_000_000);
    expect(free.values("pool_floors_micro_neurons")).toEqual({ "": 1_000_000_000 });
    expect(free.values("pool_promised_micro_neurons")).toEqual({ "": 3_000_000_000 });
    expect(free.values("account_closed")).toEqual({ "": 0 });
    expect(free.values("account_rate_remaining")).toMatchObject({ text_generation: 300 });
    const { body } = await admin("PATCH", "/admin/account", { safety_margin_neurons: 250 });
    expect(body.pool.size_micro_neurons).toBe(9_750_000_000);
    const held = await scrape();
    expect(held.values("pool_margin_micro_neurons")).toEqual({ "": 250_000_000 });
    expect(held.values("pool_size_micro_neurons")).toEqual({ "": 9_750_000_000 });
  });

  it("says what the reports know of today, and of no other day", async () => {
    const latency = { [latencyBucket(20)]: 3, [latencyBucket(700)]: 2, [latencyBucket(90_000)]: 1 };
    await seedCalls(
      {
        date: TODAY,
        hour: 0,
        posted: 4,
        voided: 1,
        quota: 500,
        overage: 20,
        refused: { rate_limited: 12 },
        verdicts: { made: 9, compared: 5, "disagreed:hate": 2 },
        latency,
      },
      {
        date: TODAY,
        hour: 14,
        posted: 2,
        expired: 1,
        quota: 80,
        granted: 5,
        verdicts: { compared: 2, "disagreed:hate": 1, "disagreed:toxicity": 1 },
      },
      {
        date: TODAY,
        tenant: "globex",
        posted: 1,
        quota: 7,
        refused: { rate_limited: 1, quota_exceeded: 3 },
      },
      { date: YESTERDAY, hour: 23, posted: 100, quota: 100, refused: { rate_limited: 100 } },
    );
    await seedUsage(
      {
        date: TODAY,
        model: LLAMA,
        microNeurons: 600,
        requests: 3,
        inputTokens: 9,
        outputTokens: 4,
      },
      { date: TODAY, model: LLAMA, engine: "embedded", microNeurons: 10, requests: 1 },
      { date: YESTERDAY, model: LLAMA, microNeurons: 1000 },
    );
    const { values, parsed } = await scrape();
    expect(values("source_up")).toEqual({ account: 1, reports: 1 });
    expect(values("calls_total")).toEqual({ posted: 7, voided: 1, expired: 1 });
    expect(values("refusals_total")).toEqual({ rate_limited: 13, quota_exceeded: 3 });
    expect(values("tier0_compared_total")).toEqual({ "": 7 });
    expect(values("tier0_disagreed_total")).toEqual({ hate: 3, toxicity: 1 });
    expect(values("micro_neurons_today")).toEqual({ quota: 587, granted: 5, overage: 20 });
    expect(values("tenant_calls_today")).toEqual({ acme: 8, globex: 1 });
    expect(values("tenant_micro_neurons_today")).toEqual({ acme: 605, globex: 7 });
    expect(values("model_micro_neurons_today")).toEqual({ [LLAMA]: 610 });
    expect(values("model_requests_today")).toEqual({ [LLAMA]: 4 });
    expect(values("model_input_tokens_today")).toEqual({ [LLAMA]: 9 });
    const { series = {} } = parsed["neurogate_call_duration_seconds"] ?? {};
    const buckets = series["neurogate_call_duration_seconds_bucket"] ?? [];
    const upTo = (ms: number) =>
      buckets.find(({ labels }) => labels["le"] === String(bucketUpperMs(latencyBucket(ms)) / 1000))
        ?.value;
    expect([upTo(10), upTo(25), upTo(500), upTo(1000), upTo(60_000)]).toEqual([0, 3, 3, 5, 5]);
    expect(buckets.at(-1)).toEqual({ labels: { le: "+Inf" }, value: 6 });
    const sum = series["neurogate_call_duration_seconds_sum"]?.[0]?.value ?? 0;
    expect(Math.abs(sum - 91.46)).toBeLessThan(9.2);
  });

  it("has no more series with a thousand tenants and models", async () => {
    await seed(21);
    const few = (await scrape()).text.split("\n").length;
    await env.REPORTS.batch(
      ["call_hours", "usage_hours"].map((table) => env.REPORTS.prepare(`DELETE FROM ${table}`)),
    );
    await seed(1000);
    const { text, values } = await scrape();
    expect(text.split("\n").length).toBe(few);
    const calls = values("tenant_calls_today") ?? {};
    expect(Object.keys(calls)).toHaveLength(21);
    expect(calls["_other"]).toBe(980);
    expect(calls["t-999"]).toBe(1);
    expect(values("tenant_micro_neurons_today")?.["_other"]).toBe((979 * 980) / 2);
    expect(values("calls_total")?.["posted"]).toBe(1000);
  });

  it("says how the reconciliation went, and what it found", async () => {
    const account = fakeAccount();
    const reconcile = (day: string) =>
      ask("POST", "/admin/reconcile", {
        key: env.ADMIN_TOKEN,
        body: { day },
        env: { ...account.env, CLOUDFLARE_PLAN: "paid" },
      });
    expect((await scrape()).values("reconciliation_last_run_compared")).toBeUndefined();
    await account.says({ "2026-11-19": [{ modelId: LLAMA, count: 1, totalNeurons: 10_500 }] });
    await reconcile(YESTERDAY);
    const before = await scrape();
    expect(before.values("reconciliation_last_run_compared")).toEqual({ "": 0 });
    expect(before.values("reconciliation_drift_micro_neurons")).toBeUndefined();
    await reconcile("2026-11-19");
    const { values } = await scrape();
    expect(values("reconciliation_last_run_compared")).toEqual({ "": 0 });
    expect(values("reconciliation_last_run_timestamp_seconds")).toEqual({ "": NOW / 1000 });
    expect(values("reconciliation_day_timestamp_seconds")).toEqual({
      "": Date.UTC(2026, 10, 19) / 1000,
    });
    expect(values("reconciliation_drift_micro_neurons")).toEqual({ [LLAMA]: 10_500_000_000 });
    expect(values("reconciliation_carried_by_platform_usd")).toEqual({ "": 0.0055 });
  });

  it("counts tenants, endpoints and their deliveries", async () => {
    await makeTenant("acme");
    await makeTenant("globex");
    await admin("DELETE", "/admin/tenants/globex");
    const webhook = { url: "https://ops.platform.dev/", events: ["account.closed"] };
    await admin("POST", "/admin/webhooks", webhook);
    await admin("POST", "/admin/webhooks", { ...webhook, enabled: false });
    const { values } = await scrape();
    expect(values("tenants")).toEqual({ active: 1, deleting: 0, deleted: 1 });
    expect(values("platform_endpoints")).toEqual({ enabled: 1, disabled: 1 });
    expect(values("platform_deliveries")).toEqual({ waiting: 0, failed: 0 });
  });

  it("tells what the latest pass over all tenants counted, and begins one an hour", async () => {
    await makeTenant("acme");
    await makeTenant("globex");
    const get = vi.spyOn(env.TENANT, "getByName");
    expect((await scrape()).values("invariant_violations")).toBeUndefined();
    await ring();
    // Nothing was counted yet: that must not look sound.
    expect((await scrape("?tenants=check")).values("invariant_violations")).toBeUndefined();
    expect(get).not.toHaveBeenCalled();
    await ring();
    expect(get).toHaveBeenCalledTimes(2);
    const { values } = await scrape("?tenants=check");
    expect(values("tenants_check_timestamp_seconds")).toEqual({ "": NOW / 1000 });
    expect(values("tenants_checked")).toEqual({ "": 2 });
    expect(values("tenants_unanswered")).toEqual({ "": 0 });
    expect(values("tenants_unfinished")).toEqual({ "": 0 });
    expect(values("tenants_broken")).toEqual({ "": 0 });
    expect(values("invariant_violations")).toMatchObject({ lines_sum_to_posted: 0 });
    expect(Object.keys(values("invariant_violations") ?? {})).toHaveLength(7);
    expect(values("tenant_deliveries")).toEqual({ waiting: 0, failed: 0 });
    await ring();
    expect(get).toHaveBeenCalledTimes(2);
    expect((await scrape()).values("tenants_checked")).toBeUndefined();

    vi.setSystemTime(NOW + 3_600_000);
    await scrape("?tenants=check");
    await ring();
    expect(get).toHaveBeenCalledTimes(4);
  });

  it("still says the rest when a source does not answer", async () => {
    await seedCalls({ date: TODAY, posted: 1 });
    const noReports = await scrape("", { REPORTS: undefined });
    expect(noReports.values("source_up")).toEqual({ account: 1, reports: 0 });
    expect(noReports.values("tenants")).toBeDefined();
    expect(noReports.values("calls_total")).toBeUndefined();
    const throwing = {
      prepare: () => {
        throw new Error("D1_ERROR");
      },
    };
    expect((await scrape("", { REPORTS: throwing })).values("source_up")).toMatchObject({
      reports: 0,
    });
    vi.spyOn(env.ACCOUNT, "getByName").mockReturnValue({
      readFacts: () => Promise.reject(new Error("gone")),
      startChecks: () => Promise.reject(new Error("gone")),
    } as unknown as ReturnType<typeof env.ACCOUNT.getByName>);
    const noAccount = await scrape("?tenants=check");
    expect(noAccount.values("source_up")).toEqual({ account: 0, reports: 1 });
    expect(noAccount.values("calls_total")).toEqual({ posted: 1, voided: 0, expired: 0 });
    expect(noAccount.values("tenants_checked")).toBeUndefined();
  });

  it("is the platform's", async () => {
    const { key } = await makeTenant("acme");
    expect((await ask("GET", "/metrics", { key })).status).toBe(401);
    expect((await ask("GET", "/metrics")).status).toBe(401);
    expect((await admin("GET", "/metrics?tenants=all")).status).toBe(400);
  });
});
