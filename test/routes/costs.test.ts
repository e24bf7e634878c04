import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { countedUsd } from "../../src/domain/ledger/money.ts";
import { dayOf, formatDay } from "../../src/domain/ledger/period.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin, ask, makeTenant } from "../client.ts";
import { fakeAccount } from "../reconciliation/fake-cloudflare.ts";
import { A_CALL_HOUR, A_USAGE_HOUR, seedCallHours, seedUsageHours } from "../reports/seed-rows.ts";

const NOON = Date.UTC(2026, 10, 16, 12);
const TODAY = dayOf(NOON);
const YESTERDAY = formatDay(TODAY - 1);
const RANGE = `from=${formatDay(TODAY - 2)}&to=${formatDay(TODAY)}`;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(NOON);
  await migrateReports(env.REPORTS);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await reset();
});

const hour = (day: number) => day * 24 + 5;

const action = (actionType: string, requests: number) => ({
  sum: { requests },
  dimensions: { actionType },
});

const down = () => Promise.reject(Object.assign(new Error("gone"), { retryable: true }));

/** Two tenants yesterday, one of them today, and nothing the day before. */
async function seed(): Promise<void> {
  await Promise.all([makeTenant("acme"), makeTenant("zenith")]);
  const run = { ...A_USAGE_HOUR, engine: "workers-ai", engineRequests: 1 };
  const acme = { tenant: "acme", generation: 1 };
  const zenith = { tenant: "zenith", generation: 1 };
  await seedUsageHours([
    { ...acme, ...run, hour: hour(TODAY - 1), microNeurons: 3_000_000_000 },
    { ...zenith, ...run, hour: hour(TODAY - 1), microNeurons: 1_000_000_000, overrun: 7 },
    { ...acme, ...run, hour: hour(TODAY), microNeurons: 500_000_000, estimated: 1 },
  ]);
  await seedCallHours([
    { ...acme, ...A_CALL_HOUR, hour: hour(TODAY - 1), calls: 100, refused: { rate_limited: 20 } },
    {
      ...zenith,
      ...A_CALL_HOUR,
      hour: hour(TODAY - 1),
      calls: 30,
      work: { transformations: 2, vectorize_dimensions: 500 },
    },
    { ...acme, ...A_CALL_HOUR, hour: hour(TODAY), calls: 1 },
  ]);
}

describe("GET /admin/costs", () => {
  it("has a row a day, of all tenants, each count with its basis", async () => {
    await seed();
    const { status, body } = await admin("GET", `/admin/costs?${RANGE}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ object: "costs", tenant: null, price_book: "cloudflare-2026-11" });
    const [none, yesterday, today] = body.data;
    expect(none.services.ai).toMatchObject({ cost_usd: "0", basis: "counted" });
    expect(yesterday).toMatchObject({ object: "cost_day", day: YESTERDAY });
    expect(yesterday.services.ai).toMatchObject({
      cost_usd: "0.044000000077",
      basis: "counted",
      lines: [{ resource: "ai_neurons", count: 4_000_000_007 }],
    });
    expect(yesterday.services.workers.lines).toMatchObject([
      { resource: "workers_requests", count: 150, basis: "counted", cost_usd: "0.000045" },
      { resource: "workers_cpu", basis: "estimated" },
    ]);
    expect(today.services.ai.basis).toBe("estimated");
    expect(yesterday.services.vectorize).toMatchObject({
      cost_usd: "0.00000025",
      unknown: ["vectorize_queried"],
    });
    expect(yesterday.services.images).toMatchObject({
      cost_usd: "0.001",
      basis: "counted",
      lines: [{ resource: "image_transformations", count: 2 }],
    });
    expect(yesterday.unknown).toContain("workflow_storage");
    expect(body.totals.services.ai.cost_usd).toBe("0.049500000077");
  });

  it("of one tenant is its own, and does not take the account's figures for it", async () => {
    await seed();
    const path = `/admin/costs?${RANGE}&tenant=zenith`;
    const [, yesterday] = (await admin("GET", path)).body.data;
    expect(yesterday.services.ai.lines[0].count).toBe(1_000_000_007);
    expect(yesterday.services.workers.lines[0].count).toBe(30);
  });

  it.each(["nope", "%00", "%0D%0A", "%22", "%E2%82%AC", "a".repeat(256)])(
    "is not found for the tenant %s, which never was",
    async (name) => {
      const path = `/admin/costs?${RANGE}&format=csv&tenant=${name}`;
      const { status, body } = await ask("GET", path, { key: env.ADMIN_TOKEN });
      expect([status, body.kind]).toEqual([404, "not_found"]);
    },
  );

  it("is there for a tenant without calls, and for one that was deleted", async () => {
    await makeTenant("idle");
    const path = `/admin/costs?${RANGE}&tenant=idle`;
    expect((await admin("GET", path)).status).toBe(200);
    expect((await admin("DELETE", "/admin/tenants/idle")).status).toBe(204);
    expect((await admin("GET", path)).status).toBe(200);
  });

  it("is unavailable for a tenant while the account's object does not answer", async () => {
    await makeTenant("idle");
    const other = { ACCOUNT: { getByName: () => ({ wasListed: down }) } };
    const read = (more: string) =>
      ask("GET", `/admin/costs?${RANGE}${more}`, { key: env.ADMIN_TOKEN, env: other });
    const { status, body } = await read("&tenant=idle");
    expect([status, body.kind]).toEqual([503, "unavailable"]);
    expect((await read("")).status).toBe(200);
  });

  it("knows nothing of a day that has not begun", async () => {
    const tenant = await makeTenant("early");
    const range = `from=${formatDay(TODAY)}&to=${formatDay(TODAY + 1)}`;
    const all = await admin("GET", `/admin/costs?${range}`);
    for (const reply of [all, await tenant.call("GET", `/v1/costs?${range}`)]) {
      const [today, tomorrow] = reply.body.data;
      expect(today.services.ai).toMatchObject({ cost_usd: "0", basis: "counted" });
      expect(tomorrow.services.ai).toMatchObject({
        cost_usd: null,
        basis: "unknown",
        lines: [{ count: null }],
      });
      expect(reply.body.resources[0].how).toBe("The day has not begun.");
      expect(tomorrow.services.workers).toMatchObject({ cost_usd: null, basis: "unknown" });
      expect(reply.body.totals.unknown).toContain("ai_neurons");
    }
  });

  it("takes the neurons that Cloudflare counted once the day was compared", async () => {
    await seed();
    const account = fakeAccount();
    await account.says({ [YESTERDAY]: [{ modelId: "@cf/a/b", count: 1, totalNeurons: 5000 }] });
    const settings = { key: env.ADMIN_TOKEN, env: account.env };
    await ask("POST", "/admin/reconcile", { ...settings, body: { day: YESTERDAY } });
    const { data } = (await admin("GET", `/admin/costs?${RANGE}`)).body;
    expect(data[1].services.ai).toMatchObject({ cost_usd: "0.055", basis: "upstream" });
    expect(data[2].services.ai).toMatchObject({ cost_usd: "0.0055", basis: "estimated" });
    const own = (await admin("GET", `/admin/costs?${RANGE}&tenant=acme`)).body;
    expect(own.data[1].services.ai).toMatchObject({ cost_usd: "0.033", basis: "counted" });
  });

  it("takes Cloudflare's counts of the account's resources, set by set", async () => {
    await seed();
    const account = fakeAccount();
    const sets = {
      workersInvocationsAdaptive: [{ sum: { requests: 1_000_000, cpuTimeUs: 5_000_000 } }],
      durableObjectsPeriodicGroups: [
        { sum: { activeTime: 1_000_000, rowsRead: 7, rowsWritten: 3 } },
      ],
      d1StorageAdaptiveGroups: [
        { max: { databaseSizeBytes: 3_000_000_000 } },
        { max: { databaseSizeBytes: 1 } },
      ],
      d1AnalyticsAdaptiveGroups: "refused",
      kvOperationsAdaptiveGroups: [action("read", 10), action("read", 5), action("write", 2)],
      r2OperationsAdaptiveGroups: [
        action("PutObject", 4),
        action("GetObject", 9),
        action("DeleteObject", 100),
      ],
      workflowsAdaptiveGroups: [
        { count: 6, dimensions: { eventType: "WORKFLOW_START" } },
        { count: 50, dimensions: { eventType: "STEP_START" } },
        { count: 3, dimensions: { eventType: "SLEEP_START" } },
        { count: 9, dimensions: { eventType: "ATTEMPT_START" } },
      ],
      imagesTransformationsAdaptiveGroups: [{ sum: { billableEventCount: 2000 } }],
    };
    await account.says({}, "ok", { [YESTERDAY]: sets });
    const settings = { key: env.ADMIN_TOKEN, env: account.env };
    await ask("POST", "/admin/reconcile", { ...settings, body: { day: YESTERDAY } });
    const [none, yesterday] = (await admin("GET", `/admin/costs?${RANGE}`)).body.data;
    const lineOf = (resource: string) =>
      Object.values(yesterday.services as Record<string, { lines: { resource: string }[] }>)
        .flatMap(({ lines }) => lines)
        .find((line) => line.resource === resource);
    for (const [resource, count] of Object.entries({
      workers_requests: 1_000_000,
      workers_cpu: 5_000_000,
      object_duration: 128,
      object_rows_read: 7,
      d1_storage: 100_000_001,
      kv_reads: 15,
      kv_writes: 2,
      kv_deletes: 0,
      r2_writes: 4,
      r2_reads: 9,
      workflow_requests: 6,
      workflow_steps: 53,
      vectorize_queried: 0,
      image_transformations: 2000,
    })) {
      expect(lineOf(resource), resource).toMatchObject({ count, basis: "upstream" });
    }
    expect(yesterday.services.images).toMatchObject({ cost_usd: "1", basis: "upstream" });
    // The set that was refused.
    expect(lineOf("d1_rows_read")).toMatchObject({ count: null, basis: "unknown" });
    expect(lineOf("d1_rows_written")).toMatchObject({ basis: "estimated" });
    expect(none.services.images).toMatchObject({ cost_usd: "0", basis: "counted" });
    // A later look that gets nothing takes nothing away.
    await account.says({}, "ok", {});
    await ask("POST", "/admin/reconcile", { ...settings, body: { day: YESTERDAY } });
    const again = (await admin("GET", `/admin/costs?${RANGE}`)).body.data[1];
    expect(again.services.images.cost_usd).toBe("1");
  });

  it("comes as a table and as lines", async () => {
    await seed();
    const table = await admin("GET", `/admin/costs?${RANGE}&format=csv`);
    const [head, ...rows] = String(table.body).trim().split("\r\n");
    expect(head).toMatch(/^day,ai_usd,ai_basis,workers_usd/);
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatch(new RegExp(`^${YESTERDAY},0.044000000077,counted,`));
    expect(rows[1]).toContain("vectorize_queried");
    const lines = await admin("GET", `/admin/costs?${RANGE}&format=ndjson`);
    expect(
      String(lines.body)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).day),
    ).toEqual([formatDay(TODAY - 2), YESTERDAY, formatDay(TODAY)]);
  });

  it("refuses a range that is too long or turned round", async () => {
    for (const range of ["from=2026-01-01&to=2026-06-01", "from=2026-11-02&to=2026-11-01"]) {
      const { status, body } = await admin("GET", `/admin/costs?${range}`);
      expect(status, range).toBe(400);
      expect(body.errors[0]).toMatchObject({ pointer: "#/from" });
    }
  });
});

describe("GET /v1/costs", () => {
  it("is the tenant's own, equal to its journal, for its managers and the platform", async () => {
    const tenant = await makeTenant("spender");
    const verdict = await tenant.call("POST", "/v1/verdicts", { text: "hello there" });
    expect(verdict.status).toBe(200);
    const { data, ...costs } = (await tenant.call("GET", "/v1/costs")).body;
    expect(costs).toMatchObject({
      tenant: "spender",
      from: formatDay(TODAY),
      to: formatDay(TODAY),
    });
    const { totals } = (await tenant.call("GET", "/v1/usage")).body;
    expect(totals.micro_neurons).toBeGreaterThan(0);
    expect(data[0].services.workers.lines[0]).toMatchObject({ count: 1, basis: "counted" });
    expect(data[0].services.durable_objects.cost_usd).not.toBeNull();
    expect(data[0].unknown).toContain("d1_storage");
    expect((await admin("GET", "/admin/tenants/spender/costs")).body.data).toEqual(data);
  });

  it("has what documents cost, equal to the journal's lines of their calls", async () => {
    const tenant = await makeTenant("reader", { daily_neurons: 10_000 });
    const content = "The old bridge was repaired in May. It opens again on 2026-06-01.";
    const document = { type: "other", content, tasks: ["summary"] };
    expect((await tenant.call("POST", "/v1/documents", document)).status).toBe(200);
    expect((await tenant.call("POST", "/v1/documents", document)).status).toBe(200);
    await tenant.call("POST", "/v1/verdicts", { text: "hello there" });
    const lines = (await tenant.call("GET", "/v1/ledger")).body.data as {
      route: string;
      micro_neurons: number;
    }[];
    const ofDocuments = lines.filter(({ route }) => route.startsWith("POST /v1/documents"));
    const sum = ofDocuments.reduce((all, line) => all + line.micro_neurons, 0);
    expect(sum).toBeGreaterThan(0);
    const { documents, executions } = (await tenant.call("GET", "/v1/costs")).body;
    expect(documents).toMatchObject({
      documents: 2,
      unknown: expect.arrayContaining(["r2_reads"]),
    });
    const usd = countedUsd([{ count: BigInt(sum), usd: "0.011", per: 1_000_000_000 }]);
    expect(documents.services.ai).toEqual({ cost_usd: usd, basis: "counted", unknown: [] });
    expect(documents.services.r2.cost_usd).toBe("0.000018");
    expect(executions.pipelines).toMatchObject({ executions: 0, steps: 0 });
  });
});
