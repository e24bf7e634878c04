import { createScheduledController, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import worker from "../../src/index.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin, ask, type Reply } from "../client.ts";
import { type FakeAccount, fakeAccount } from "../reconciliation/fake-cloudflare.ts";
import { seedCalls, seedUsage } from "../reconciliation/seed-hours.ts";

// The journals against Cloudflare's figures: by the platform's own call, by the trigger, and what is
// told of it. Behind it is a fake that speaks the same GraphQL.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const AT_TWO = Date.UTC(2026, 10, 21, 2);
const DAY_MS = 86_400_000;
const DAY = "2026-11-20";

let account: FakeAccount;

beforeEach(async () => {
  vi.setSystemTime(AT_TWO);
  account = fakeAccount();
  await migrateReports(env.REPORTS);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await reset();
});

const settings = (more: object = {}) => ({ ...account.env, CLOUDFLARE_PLAN: "paid", ...more });

const reconcile = (body?: unknown, more: object = {}): Promise<Reply> =>
  ask("POST", "/admin/reconcile", { key: env.ADMIN_TOKEN, body, env: settings(more) });

const days = async (query = "") => (await admin("GET", `/admin/reconciliation${query}`)).body.data;

const dates = async (query: string) => (await days(query)).map(({ day }: { day: string }) => day);

/** A database that answers nothing. */
const BROKEN = {
  prepare: () => {
    throw new Error("D1_ERROR");
  },
};

const listFrom = (REPORTS: unknown): Promise<Reply> =>
  ask("GET", "/admin/reconciliation", { key: env.ADMIN_TOKEN, env: { REPORTS } });

const events = async () => (await admin("GET", "/admin/events")).body.data;

const subscribe = () =>
  admin("POST", "/admin/webhooks", {
    url: "https://ops.platform.dev/",
    events: ["reconciliation.drift"],
    // Its events are kept, and nobody is there to deliver them to.
    enabled: false,
  });

async function trigger(scheduledTime: number, more: object = {}): Promise<void> {
  const controller = createScheduledController({ scheduledTime, cron: "0 2 * * *" });
  await worker.scheduled(controller, { ...env, ...settings(more) } as Env);
}

const neurons = (modelId: string, totalNeurons: number) => ({ modelId, count: 1, totalNeurons });

describe("POST /admin/reconcile", () => {
  it("compares yesterday's journals of all tenants with what Cloudflare counted", async () => {
    await seedUsage(
      {
        date: DAY,
        hour: 0,
        model: LLAMA,
        microNeurons: 9_000_000_000,
        requests: 3,
        inputTokens: 7,
      },
      {
        date: DAY,
        hour: 23,
        tenant: "globex",
        model: LLAMA,
        microNeurons: 3_000_000_000,
        held: 500,
      },
      { date: DAY, model: DISTILBERT, microNeurons: 85_465_800, estimated: 85_465_800 },
      { date: "2026-11-19", model: LLAMA, microNeurons: 77, settledAfterMidnight: 40 },
      { date: "2026-11-21", model: LLAMA, microNeurons: 999 },
    );
    await seedCalls(
      { date: DAY, overageByRate: { "0.011": 1_000_000_000 } },
      {
        date: DAY,
        tenant: "globex",
        overageByRate: { "0.011": 1_000_000_000, "0.02": 500_000_000 },
      },
    );
    await account.says({
      [DAY]: [
        { ...neurons(LLAMA, 12_500), count: 5, totalInputTokens: 8 },
        neurons(DISTILBERT, 80),
        neurons("@cf/unknown/elsewhere", 20),
      ],
    });
    const { status, body } = await reconcile();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: "reconciliation_day",
      day: DAY,
      state: "compared",
      runs: 1,
      last_outcome: "compared",
      last_reason: null,
      compared_at: "2026-11-21T02:00:00.000Z",
      micro_neurons: 12_085_465_800,
      upstream_micro_neurons: 12_600_000_000,
      drift_micro_neurons: 514_534_200,
      estimated_micro_neurons: 85_465_800,
      held_micro_neurons: 500,
      cost_basis: "upstream",
      cost_usd: "0.1386",
      free_allocation_usd: "0.11",
      expected_bill_usd: "0.0286",
      charged_to_tenants_usd: "0.032",
      carried_by_platform_usd: "-0.0034",
    });
    expect(body.models).toMatchObject([
      { model: DISTILBERT, drift_micro_neurons: -5_465_800, unexplained_micro_neurons: 0 },
      {
        object: "reconciliation",
        day: DAY,
        model: LLAMA,
        micro_neurons: 12_000_000_000,
        upstream_micro_neurons: 12_500_000_000,
        first_upstream_micro_neurons: 12_500_000_000,
        drift_micro_neurons: 500_000_000,
        unexplained_micro_neurons: 499_999_960,
        held_micro_neurons: 500,
        settled_after_midnight_micro_neurons: 0,
        settled_from_day_before_micro_neurons: 40,
        engine_requests: 4,
        upstream_requests: 5,
        input_tokens: 7,
        upstream_input_tokens: 8,
      },
      { model: "@cf/unknown/elsewhere", micro_neurons: 0, drift_micro_neurons: 20_000_000 },
    ]);
    expect(await days()).toEqual([body]);
    const [act] = (await admin("GET", "/admin/audit")).body.data;
    expect(act).toMatchObject({
      action: "POST /admin/reconcile",
      detail: { day: DAY, outcome: "compared" },
    });
  });

  it("counts what ran on Workers AI, and what may have where that is what is asked", async () => {
    await seedUsage(
      { date: DAY, model: LLAMA, microNeurons: 5 },
      { date: DAY, model: LLAMA, engine: "embedded", microNeurons: 10_000 },
      { date: DAY, model: LLAMA, engine: "openai", microNeurons: 1000 },
      { date: DAY, model: LLAMA, engine: "unknown", microNeurons: 100, held: 100 },
    );
    await account.says({ [DAY]: [neurons(LLAMA, 0.000_005)] });
    const { body } = await reconcile({ day: DAY });
    expect(body.models).toMatchObject([{ micro_neurons: 5, drift_micro_neurons: 0 }]);
    const deployed = await reconcile({ day: DAY }, { INFERENCE: "workers-ai" });
    expect(deployed.body.models).toMatchObject([
      { micro_neurons: 105, drift_micro_neurons: -100, unexplained_micro_neurons: 0 },
    ]);
  });

  it("adds up what no number holds", async () => {
    const large = 9_000_000_000_000_001;
    await seedUsage(
      ...["a", "b", "c"].map((tenant) => ({
        date: DAY,
        tenant,
        model: LLAMA,
        microNeurons: large,
      })),
    );
    await account.says({});
    const { body } = await reconcile();
    expect(body.cost_usd).toBe("297000.000000000033");
    const stored = await env.REPORTS.prepare(
      "SELECT CAST(micro_neurons AS TEXT) AS exact FROM reconciliation",
    ).first();
    expect(stored).toEqual({ exact: "27000000000000003" });
  });

  it("does not call it no drift when Cloudflare has nothing of the day", async () => {
    await seedUsage({
      date: DAY,
      model: LLAMA,
      microNeurons: 11_000_000_000,
      overrun: 1_000_000_000,
    });
    await subscribe();
    await account.says({});
    const { body } = await reconcile();
    expect(body).toMatchObject({
      state: "no_data",
      last_outcome: "no_data",
      last_reason: "Cloudflare has no figures for this day, or not yet.",
      compared_at: null,
      upstream_micro_neurons: null,
      drift_micro_neurons: null,
      cost_basis: "journal",
      cost_usd: "0.132",
      expected_bill_usd: "0.022",
    });
    expect(body.models).toMatchObject([
      { model: LLAMA, upstream_micro_neurons: null, drift_micro_neurons: null },
    ]);
    expect(await events()).toEqual([]);
  });

  it("says why Cloudflare could not be asked, and has the money by our own count", async () => {
    await seedUsage({ date: DAY, model: LLAMA, microNeurons: 1_000_000 });
    await account.says({}, "bad_token");
    const { body } = await reconcile();
    expect(body).toMatchObject({
      state: "unknown",
      last_outcome: "failed",
      last_reason: expect.stringContaining("CLOUDFLARE_API_TOKEN is not accepted"),
      drift_micro_neurons: null,
      cost_usd: "0.000011",
    });
    expect(JSON.stringify(body)).not.toContain(account.apiToken);
  });

  it.each([
    { CLOUDFLARE_ACCOUNT_ID: "", CLOUDFLARE_API_TOKEN: "" },
    { CLOUDFLARE_API_TOKEN: "" },
    { CLOUDFLARE_ACCOUNT_ID: "" },
  ])("works without an account to ask: %o", async (none) => {
    await seedUsage({ date: DAY, model: LLAMA, microNeurons: 1_000_000 });
    const { body } = await reconcile({}, none);
    expect(body).toMatchObject({ state: "unknown", last_outcome: "not_configured" });
    expect(body.models).toMatchObject([{ micro_neurons: 1_000_000, drift_micro_neurons: null }]);
    expect(await account.asked()).toBe(0);
  });

  it("bills nothing on the free plan", async () => {
    await account.says({ [DAY]: [neurons(LLAMA, 20_000)] });
    const { body } = await reconcile({}, { CLOUDFLARE_PLAN: "free" });
    expect(body).toMatchObject({ cost_usd: "0.22", expected_bill_usd: "0" });
  });

  it.each([{ day: "2026-11-21" }, { day: "2027-01-01" }, { day: "yesterday" }, { days: 2 }])(
    "refuses %o",
    async (body) => {
      const reply = await reconcile(body);
      expect(reply).toMatchObject({ status: 400, body: { kind: "invalid_request" } });
    },
  );

  it("is unavailable without the reports, and when they do not answer", async () => {
    expect((await reconcile({}, { REPORTS: undefined })).status).toBe(503);
    expect((await reconcile({}, { REPORTS: BROKEN })).status).toBe(503);
    expect((await listFrom(undefined)).status).toBe(503);
    expect((await listFrom(BROKEN)).status).toBe(503);
  });
});

describe("a second look at a day", () => {
  it("takes what came late, and keeps what was said first", async () => {
    await seedUsage({ date: DAY, model: LLAMA, microNeurons: 100_000_000 });
    await account.says({ [DAY]: [neurons(LLAMA, 60)] });
    await reconcile();
    await account.says({ [DAY]: [neurons(LLAMA, 101), neurons(DISTILBERT, 1)] });
    vi.setSystemTime(AT_TWO + 2 * DAY_MS);
    const { body } = await reconcile({ day: DAY });
    expect(body).toMatchObject({
      runs: 2,
      first_run_at: "2026-11-21T02:00:00.000Z",
      compared_at: "2026-11-23T02:00:00.000Z",
      drift_micro_neurons: 2_000_000,
    });
    expect(body.models).toMatchObject([
      { model: DISTILBERT, first_upstream_micro_neurons: 0, upstream_micro_neurons: 1_000_000 },
      {
        model: LLAMA,
        first_upstream_micro_neurons: 60_000_000,
        upstream_micro_neurons: 101_000_000,
      },
    ]);
    expect(await days()).toEqual([body]);
  });

  it.each(["bad_token", "empty"])("keeps what could be compared once: %s", async (behaviour) => {
    await seedUsage({ date: DAY, model: LLAMA, microNeurons: 100_000_000 });
    await account.says({ [DAY]: [neurons(LLAMA, 60)] });
    const first = (await reconcile()).body;
    await account.says({}, behaviour);
    const { body } = await reconcile();
    expect(body).toEqual({
      ...first,
      runs: 2,
      last_outcome: behaviour === "empty" ? "no_data" : "failed",
      last_reason: expect.any(String),
    });
  });

  it("compares what had no figures before", async () => {
    await account.says({});
    await reconcile();
    await account.says({ [DAY]: [neurons(LLAMA, 60)] });
    expect((await reconcile()).body).toMatchObject({ state: "compared", runs: 2 });
  });

  it("forgets a model that neither side knows any more", async () => {
    await account.says({ [DAY]: [neurons(LLAMA, 60), neurons(DISTILBERT, 1)] });
    await reconcile();
    await account.says({ [DAY]: [neurons(LLAMA, 60)] });
    expect((await reconcile()).body.models).toHaveLength(1);
  });
});

describe("GET /admin/reconciliation", () => {
  it("gives the days of a range, newest first", async () => {
    await account.says({});
    for (const day of ["2026-11-18", "2026-11-20", "2026-11-19"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await reconcile({ day });
    }
    expect(await dates("")).toEqual(["2026-11-20", "2026-11-19", "2026-11-18"]);
    expect(await dates("?from=2026-11-19&to=2026-11-19")).toEqual(["2026-11-19"]);
    expect(await dates("?to=2026-10-01")).toEqual([]);
  });

  it.each(["from=2026-11-20&to=2026-11-19", "from=2026-01-01", "from=x", "day=2026-11-20"])(
    "refuses %s",
    async (query) => {
      expect((await admin("GET", `/admin/reconciliation?${query}`)).status).toBe(400);
    },
  );
});

describe("a drift", () => {
  beforeEach(async () => {
    await subscribe();
    await seedUsage(
      { date: DAY, model: LLAMA, microNeurons: 1_000_000_000 },
      { date: DAY, model: DISTILBERT, microNeurons: 1_000_000_000 },
    );
  });

  it("is told when it is beyond the threshold, each model by itself, as its GET returns it", async () => {
    await account.says({ [DAY]: [neurons(LLAMA, 1200), neurons(DISTILBERT, 1040)] });
    const { body } = await reconcile();
    expect(await events()).toMatchObject([{ type: "reconciliation.drift", data: body.models[1] }]);
    await reconcile();
    expect(await events()).toHaveLength(2);
  });

  it("is told from where the platform wants it", async () => {
    await account.says({ [DAY]: [neurons(LLAMA, 1200), neurons(DISTILBERT, 1040)] });
    await reconcile({}, { DRIFT_ALERT_PERCENT: "3", DRIFT_ALERT_NEURONS: "40" });
    expect(await events()).toHaveLength(2);
    await reconcile({}, { DRIFT_ALERT_NEURONS: "201" });
    expect(await events()).toHaveLength(2);
  });

  it("that could not be told is no success, and what was seen stays", async () => {
    await account.says({ [DAY]: [neurons(LLAMA, 1200)] });
    const unreachable = {
      setSafetyMargin: () => Promise.resolve(),
      tellDrifts: () => Promise.reject(new Error("unreachable")),
    };
    const get = vi
      .spyOn(env.ACCOUNT, "getByName")
      .mockReturnValue(unreachable as unknown as ReturnType<typeof env.ACCOUNT.getByName>);
    expect((await reconcile()).status).toBe(503);
    expect(get).toHaveBeenCalledWith(ACCOUNT_NAME);
    get.mockRestore();
    expect(await days()).toMatchObject([{ day: DAY, state: "compared" }]);
  });
});

const margin = async (): Promise<number> =>
  (await admin("GET", "/admin/account")).body.pool.margin_micro_neurons;

const look = async (date: string, totalNeurons: number, worstOf: string): Promise<Reply> => {
  await account.says({ [date]: [neurons(LLAMA, totalNeurons)] });
  return reconcile({ day: date }, { SAFETY_MARGIN_DAYS: worstOf });
};

describe("a safety margin", () => {
  beforeEach(async () => {
    await seedUsage(
      { date: "2026-11-10", model: LLAMA, microNeurons: 1_000_000 },
      { date: "2026-11-18", model: LLAMA, microNeurons: 1_000_000, overrun: 2_000_000 },
      { date: "2026-11-19", model: LLAMA, microNeurons: 9_000_000 },
      { date: DAY, model: LLAMA, microNeurons: 1_000_000 },
    );
  });

  it("is the worst drift of some days beyond what overran, and nothing once it is off", async () => {
    await look(DAY, 3, "7");
    expect(await margin()).toBe(2_000_000);
    await look("2026-11-18", 6, "7");
    expect(await margin()).toBe(3_000_000);
    // Less was counted than charged: that is no reason to hold back less.
    await look("2026-11-19", 1, "7");
    expect(await margin()).toBe(3_000_000);
    // Too long ago.
    await look("2026-11-10", 100, "7");
    expect(await margin()).toBe(3_000_000);
    await look("2026-11-10", 100, "11");
    expect(await margin()).toBe(99_000_000);
    await look(DAY, 3, "0");
    expect(await margin()).toBe(0);
  });

  it("that could not be set is no success", async () => {
    vi.spyOn(env.ACCOUNT, "getByName").mockReturnValue({
      setSafetyMargin: () => Promise.reject(new Error("unreachable")),
    } as unknown as ReturnType<typeof env.ACCOUNT.getByName>);
    expect((await look(DAY, 3, "7")).status).toBe(503);
  });
});

const usageRows = async (): Promise<number> =>
  (await env.REPORTS.prepare("SELECT COUNT(*) AS rows FROM usage_hours").first<number>("rows")) ??
  0;

const dayRows = async (): Promise<number> =>
  (await env.REPORTS.prepare("SELECT COUNT(*) AS rows FROM usage_days").first<number>("rows")) ?? 0;

/** More than one step deletes. */
const seedOld = (date: string): Promise<void> => {
  const hours = Array.from({ length: 9000 }, (_, hour) => ({ date, hour }));
  return seedUsage(...hours.map((at) => ({ ...at, model: LLAMA, microNeurons: 1 })));
};

const KEPT = { event: "reports_kept", level: "info" };

describe("the trigger", () => {
  const printed: string[] = [];
  beforeEach(() => {
    printed.length = 0;
    for (const level of ["log", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((line: string) => void printed.push(line));
    }
  });
  /** A request's own line is none of them. */
  const lines = () =>
    printed.map((line) => JSON.parse(line)).filter(({ event }) => event !== "request");

  it("looks at the day before, and once more at the one three days before", async () => {
    await account.says({
      "2026-11-20": [neurons(LLAMA, 1)],
      "2026-11-19": [neurons(LLAMA, 2)],
      "2026-11-18": [neurons(LLAMA, 3)],
    });
    await trigger(AT_TWO);
    expect(await days()).toMatchObject([
      { day: "2026-11-20", upstream_micro_neurons: 1_000_000 },
      { day: "2026-11-18", upstream_micro_neurons: 3_000_000 },
    ]);
    expect(lines()).toMatchObject([
      { level: "info", day: "2026-11-20", outcome: "compared" },
      { level: "info", day: "2026-11-18", outcome: "compared" },
      KEPT,
    ]);
  });

  it("goes by the time for which it was set, not by that at which it came", async () => {
    await account.says({});
    vi.setSystemTime(AT_TWO + DAY_MS);
    await trigger(AT_TWO);
    expect((await days()).map(({ day }: { day: string }) => day)).toEqual([
      "2026-11-20",
      "2026-11-18",
    ]);
  });

  it("says what failed, without the token, and looks at the other day all the same", async () => {
    await account.says({ "2026-11-18": [neurons(LLAMA, 3)] }, "quoting,ok");
    await trigger(AT_TWO);
    expect(lines()).toMatchObject([
      { level: "error", outcome: "failed", reason: expect.stringContaining("refused the query") },
      { level: "info", outcome: "compared" },
      KEPT,
    ]);
    expect(printed.join()).not.toContain(account.apiToken);
  });

  it("is seen to have failed when a day could not be kept, after it tried the other", async () => {
    await subscribe();
    await account.says({ "2026-11-18": [neurons(LLAMA, 1000)], "2026-11-20": [neurons(LLAMA, 1)] });
    vi.spyOn(env.ACCOUNT, "getByName").mockReturnValue({
      setSafetyMargin: () => Promise.resolve(),
      tellDrifts: () => Promise.reject(new TypeError("with a secret")),
    } as unknown as ReturnType<typeof env.ACCOUNT.getByName>);
    await expect(() => trigger(AT_TWO)).rejects.toThrow("a day was not reconciled");
    expect(lines()).toMatchObject([
      { level: "info", day: "2026-11-20" },
      { level: "error", day: "2026-11-18", outcome: "thrown", error: "TypeError" },
      KEPT,
    ]);
    expect(printed.join()).not.toContain("with a secret");
  });

  it("deletes the reports' rows that are past their retention", async () => {
    await account.says({});
    await seedUsage(
      { date: "2025-10-16", model: LLAMA, microNeurons: 1 },
      { date: "2025-10-19", model: LLAMA, microNeurons: 1 },
    );
    await trigger(AT_TWO, { CLOUDFLARE_PLAN: "paid" });
    // As a day: its hours are long ago.
    expect([await usageRows(), await dayRows()]).toEqual([0, 1]);
  });

  it("goes on deleting until nothing is left, on a plan that lets it", async () => {
    await account.says({});
    await seedOld("2024-01-01");
    await trigger(AT_TWO, { CLOUDFLARE_PLAN: "free" });
    const left = await usageRows();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(9000);
    await seedOld("2022-01-01");
    await trigger(AT_TWO, { CLOUDFLARE_PLAN: "paid" });
    expect(await usageRows()).toBe(0);
  });

  it("has reconciled when rows could not be deleted, and says so", async () => {
    await account.says({});
    await seedUsage({ date: "2024-01-01", model: LLAMA, microNeurons: 1 });
    await env.REPORTS.prepare(
      `CREATE TRIGGER kept BEFORE DELETE ON usage_hours BEGIN SELECT RAISE(ABORT, 'kept'); END`,
    ).run();
    await trigger(AT_TWO);
    expect(lines()).toMatchObject([
      { event: "reconciliation" },
      { event: "reconciliation" },
      { level: "error", event: "reports_kept", error: "Error" },
    ]);
  });

  it("does nothing without the reports, and is closed without the secrets", async () => {
    await trigger(AT_TWO, { REPORTS: undefined });
    expect(lines()).toEqual([]);
    await expect(() => trigger(AT_TWO, { ADMIN_TOKEN: "short" })).rejects.toThrow("misconfigured");
  });
});
