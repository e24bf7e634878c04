import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dayOf, formatDay, startOf } from "../../src/domain/ledger/period.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin, ask } from "../client.ts";
import {
  A_CALL_HOUR,
  A_USAGE_HOUR,
  seedCallHours,
  seedUsageHours,
  seedUserDays,
} from "../reports/seed-rows.ts";

const NOON = Date.UTC(2026, 10, 16, 12);
const TODAY = dayOf(NOON);
const HOUR = TODAY * 24;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(NOON);
  await migrateReports(env.REPORTS);
});
afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const acme = { tenant: "acme", generation: 1 };
const zenith = { tenant: "zenith", generation: 1 };

/** Two tenants today, and one of them on the month's first day. */
async function seed(): Promise<void> {
  const usage = {
    ...A_USAGE_HOUR,
    engineRequests: 10,
    units: { input_token: 40, output_token: 5 },
  };
  await seedUsageHours([
    { ...acme, ...usage, hour: HOUR, microNeurons: 3_000_000_000, failed: 1 },
    { ...acme, ...usage, hour: HOUR + 5, microNeurons: 1_000_000_000, estimated: 7 },
    { ...zenith, ...usage, hour: HOUR, microNeurons: 500_000_000, held: 9, overrun: 11 },
    { ...acme, ...usage, hour: HOUR - 15 * 24, microNeurons: 1_500_000_000 },
  ]);
  const call = { ...A_CALL_HOUR, calls: 10, latency: { 10: 9, 33: 1 } };
  await seedCallHours([
    {
      ...acme,
      ...call,
      hour: HOUR,
      quota: 1_000_000_000,
      overage: 2_000_000_000,
      overageByRate: { "0.011": 1_000_000_000, "0.02": 1_000_000_000 },
      failed: 1,
      refused: { rate_limited: 3, storage_full: 1 },
      verdicts: { made: 4, micro_neurons: 8001, reused: 1, saved: 700 },
    },
    {
      ...acme,
      ...call,
      hour: HOUR + 5,
      granted: 1_000_000_000,
      quota: -400_000_000,
      adjusted: -400_000_000,
    },
    { ...zenith, ...call, hour: HOUR, quota: 500_000_000, expired: 1 },
    { ...acme, ...call, hour: HOUR - 15 * 24, quota: 1_500_000_000 },
  ]);
}

describe("GET /admin/usage", () => {
  it("has rows by tenant, exact money, refusals by kind and latencies", async () => {
    await seed();
    const { body, status } = await admin("GET", "/admin/usage");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: "usage",
      tenant: null,
      from: "2026-11-16",
      to: "2026-11-16",
      group_by: ["tenant"],
      has_more: false,
      next_cursor: null,
    });
    expect(body.data).toMatchObject([
      {
        tenant: "acme",
        day: null,
        model: null,
        calls: 20,
        success_rate: 0.95,
        engine_requests: 20,
        failed: 1,
        units: { input_token: 80, output_token: 10 },
        input_tokens: 80,
        output_tokens: 10,
        micro_neurons: 4_000_000_000,
        neurons: 4000,
        estimated_micro_neurons: 7,
        // 4,000 N at 0.011 a thousand.
        cost_usd: "0.044",
        // 1,000 N at 0.011, 1,000 N at 0.02.
        charge_usd: "0.031",
        refused: { rate_limited: 3, storage_full: 1 },
        latency: { p50_ms: 10, p95_ms: 489, p99_ms: 489 },
      },
      { tenant: "zenith", calls: 10, success_rate: 0.9, charge_usd: "0", held_micro_neurons: 9 },
    ]);
    expect(body.totals).toMatchObject({
      calls: 30,
      refused: { rate_limited: 3, storage_full: 1, quota_exceeded: 0 },
      verdicts: {
        made: 4,
        micro_neurons: 8001,
        micro_neurons_each: 2000,
        reused: 1,
        saved_micro_neurons: 700,
        spared_stages: 0,
      },
      // What was drawn, the adjustment included.
      micro_neurons: 4_100_000_000,
      adjusted_micro_neurons: -400_000_000,
      overrun_micro_neurons: 11,
      // Of what ran: 4,500 N.
      cost_usd: "0.0495",
      charge_usd: "0.031",
      success_rate: 0.933333,
    });
  });

  it("tells the month to date and where it goes in a straight line", async () => {
    await seed();
    const { month } = (await admin("GET", "/admin/usage")).body;
    // 15.5 of 30 days; 6,000 N ran.
    expect(month).toEqual({
      month: "2026-11",
      elapsed: 0.516667,
      to_date: {
        micro_neurons: 6_000_000_000,
        neurons: 6000,
        cost_usd: "0.066",
        charge_usd: "0.031",
      },
      forecast: {
        micro_neurons: 11_612_903_226,
        neurons: 11_612.903226,
        cost_usd: "0.127741935483870968",
        charge_usd: "0.06",
      },
    });
  });

  it("says what the platform's other resources cost, and how each was counted", async () => {
    await seed();
    const { body } = await admin("GET", "/admin/usage");
    expect(body.platform_price_book).toBe("cloudflare-2026-11");
    const line = (name: string) =>
      body.platform.find(({ resource }: { resource: string }) => resource === name);
    // 30 calls and 4 refusals. The plan of these tests is the free one. Each call writes five rows
    // and changes four of the reports, each of which is three more.
    expect(line("workers_requests")).toMatchObject({ count: 34, basis: "counted", usd: null });
    expect(line("object_rows_written")).toMatchObject({ count: 510, basis: "estimated" });
    expect(line("workflow_storage")).toMatchObject({ count: null, cost_usd: null });
    expect(body.platform_cost_usd).toBe("0");
    const paid = await ask("GET", "/admin/usage", {
      key: env.ADMIN_TOKEN,
      env: { CLOUDFLARE_PLAN: "paid" },
    });
    const requests = paid.body.platform[0];
    expect(requests).toMatchObject({ resource: "workers_requests", usd: "0.30", per: 1e6 });
    // 34 at 0.30 a million.
    expect(requests.cost_usd).toBe("0.0000102");
    expect(Number(paid.body.platform_cost_usd)).toBeGreaterThan(0);
  });

  it("is of the range and the tenant that are asked for", async () => {
    await seed();
    const first = formatDay(TODAY - 15);
    const range = `from=${first}&to=${formatDay(TODAY)}&tenant=acme&group_by=day`;
    const { body } = await admin("GET", `/admin/usage?${range}`);
    expect(body).toMatchObject({ tenant: "acme", from: first });
    expect(body.data.map(({ day, calls }: { day: string; calls: number }) => [day, calls])).toEqual(
      [
        [first, 10],
        [formatDay(TODAY), 20],
      ],
    );
    const hours = await admin("GET", "/admin/usage?group_by=hour,model&tenant=acme");
    expect(hours.body.data).toMatchObject([
      { hour: "2026-11-16T00:00:00.000Z", calls: null, charge_usd: null, refused: null },
      { hour: "2026-11-16T05:00:00.000Z", success_rate: 1 },
    ]);
    const nobody = await admin("GET", "/admin/usage?tenant=nobody");
    expect(nobody.body.data).toEqual([]);
    expect(nobody.body.totals.calls).toBe(0);
    expect(nobody.body.month.to_date.micro_neurons).toBe(0);
  });

  it("has a tenant's users, or everybody's of one day", async () => {
    await seedUserDays([
      { ...acme, day: TODAY, slot: 1, userId: "u_1", calls: 2, microNeurons: 5e6, sequence: 1 },
      { ...zenith, day: TODAY, slot: 0, userId: "", calls: 3, microNeurons: 1, sequence: 1 },
    ]);
    const own = await admin("GET", "/admin/usage?group_by=user&tenant=acme");
    expect(own.body.data).toMatchObject([
      { user_id: "u_1", calls: 2, micro_neurons: 5e6, engine_requests: null, units: {} },
    ]);
    const all = await admin("GET", "/admin/usage?group_by=tenant,user");
    expect(all.body.data).toMatchObject([{ user_id: "u_1" }, { tenant: "zenith", user_id: null }]);
  });

  it("goes on from page to page, by keys, with totals on the first one alone", async () => {
    await seed();
    const first = await admin("GET", "/admin/usage?limit=1");
    expect(first.body).toMatchObject({ has_more: true, totals: { calls: 30 } });
    // A tenant before the page's end that comes meanwhile moves nothing.
    await seedCallHours([{ ...acme, ...A_CALL_HOUR, tenant: "aaa", hour: HOUR }]);
    const rest = await admin("GET", `/admin/usage?limit=1&cursor=${first.body.next_cursor}`);
    expect(rest.body).toMatchObject({
      has_more: false,
      next_cursor: null,
      data: [{ tenant: "zenith" }],
      totals: null,
      month: null,
      platform: null,
      platform_cost_usd: null,
    });
    expect(rest.body.rows_read).toBeLessThan(first.body.rows_read);
  });

  it.each(["1", "x", "W10", "WyJ0ZW5hbnQiXQ", "WyJ0ZW5hbnQiLDFd", "WyJkYXkiLDIwNzczXQ", "e30"])(
    "refuses %j as a cursor that is not of these rows",
    async (cursor) => {
      const { status, body } = await admin("GET", `/admin/usage?cursor=${cursor}`);
      expect([status, body.errors?.[0].pointer]).toEqual([400, "#/cursor"]);
    },
  );

  it("takes an empty cursor as the first page", async () => {
    await seed();
    const { status, body } = await admin("GET", "/admin/usage?cursor=");
    expect([status, body.data]).toEqual([200, (await admin("GET", "/admin/usage")).body.data]);
    expect(body.totals).not.toBeNull();
  });

  it("refuses a cursor of another grouping, of another range, and one that was changed", async () => {
    await seed();
    const days = `from=${formatDay(TODAY - 15)}&to=${formatDay(TODAY)}&group_by=day,tenant&limit=1`;
    const cursor = (await admin("GET", `/admin/usage?${days}`)).body.next_cursor as string;
    expect((await admin("GET", `/admin/usage?${days}&cursor=${cursor}`)).status).toBe(200);
    for (const query of [
      `group_by=tenant,day&cursor=${cursor}`,
      `group_by=day,tenant&cursor=${cursor}`,
      `${days}&cursor=${cursor}AA`,
      `${days}&cursor=${cursor.slice(0, -2)}`,
      `${days}&cursor=${cursor}%3D`,
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await admin("GET", `/admin/usage?${query}`)).status).toBe(400);
    }
  });

  it("has the largest tenants and all others as one, which come to the totals", async () => {
    await seed();
    const small = Array.from({ length: 30 }, (_, at) => ({
      ...acme,
      tenant: `s-${at}`,
      hour: HOUR,
    }));
    const call = { ...A_CALL_HOUR, quota: 5, refused: { rate_limited: 1 }, latency: { 3: 1 } };
    await seedCallHours(small.map((at) => ({ ...call, ...at })));
    await seedUsageHours(small.map((at) => ({ ...A_USAGE_HOUR, ...at, microNeurons: 5 })));
    const { body } = await admin("GET", "/admin/usage?largest=2&group_by=hour,tenant");
    expect(body).toMatchObject({ has_more: false, next_cursor: null, totals: { calls: 60 } });
    const rows = body.data.map((row: Record<string, string>) => [
      row["hour"]?.slice(11, 13),
      row["tenant"],
      row["calls"],
      row["micro_neurons"],
    ]);
    expect(rows).toEqual([
      ["00", "acme", 10, 3_000_000_000],
      ["00", "zenith", 10, 500_000_000],
      ["00", "_other", 30, 150],
      ["05", "acme", 10, 1_000_000_000],
    ]);
    expect(body.data[2]).toMatchObject({ refused: { rate_limited: 30 }, latency: { p50_ms: 3 } });
    const whole = await admin("GET", "/admin/usage?largest=1");
    expect(whole.body.data.map(({ tenant }: { tenant: string }) => tenant)).toEqual([
      "acme",
      "_other",
    ]);
    const all = await admin("GET", "/admin/usage?largest=50");
    expect(all.body.data).toHaveLength(32);
  });

  it("says how old it may be", async () => {
    expect((await admin("GET", "/admin/usage")).body.as_of).toBeNull();
    await env.REPORTS.prepare("INSERT INTO freshness VALUES (1, ?)")
      .bind(NOON - 5000)
      .run();
    expect((await admin("GET", "/admin/usage")).body.as_of).toBe("2026-11-16T11:59:55.000Z");
  });

  it.each([
    ["group_by=planet", "group_by"],
    ["group_by=day,day", "group_by"],
    ["group_by=user", "group_by"],
    ["group_by=tenant,user&from=2026-11-15", "group_by"],
    ["group_by=user,hour&tenant=acme", "group_by"],
    ["group_by=user,model&tenant=acme", "group_by"],
    ["group_by=key&tenant=acme", "group_by"],
    ["from=2025-01-01", "from"],
    ["group_by=hour&from=2026-10-01", "from"],
    ["from=2026-11-16&to=2026-11-15", "from"],
    ["cursor=x", "cursor"],
    ["group_by=hour&from=2026-10-11&to=2026-10-12", "from"],
    ["largest=0", "largest"],
    ["largest=51", "largest"],
    ["largest=5&tenant=acme", "largest"],
    ["largest=5&group_by=model", "group_by"],
    ["largest=5&group_by=tenant,model", "group_by"],
    ["largest=5&group_by=hour,tenant&from=2026-11-14", "from"],
    ["largest=5&group_by=day,tenant&from=2026-10-14", "from"],
    ["format=html", "format"],
    ["planet=1", "planet"],
  ])("refuses ?%s by name", async (query, name) => {
    const { status, body } = await admin("GET", `/admin/usage?${query}`);
    expect(status).toBe(400);
    expect(body.errors[0].pointer).toBe(`#/${name}`);
  });

  it("makes no statement of what it is given", async () => {
    await seed();
    const hostile = encodeURIComponent("acme' OR 1=1 --");
    const { status, body } = await admin("GET", `/admin/usage?tenant=${hostile}`);
    expect([status, body.data]).toEqual([200, []]);
  });

  it("is a table of all rows, with every cell where its column says", async () => {
    await seed();
    const path = `/admin/usage?format=csv&group_by=tenant,model&limit=1`;
    const reply = await ask("GET", path, { key: env.ADMIN_TOKEN });
    expect(reply.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(reply.headers.get("content-disposition")).toBe(
      'attachment; filename="usage-2026-11-16-2026-11-16.csv"',
    );
    const [head, ...rows] = (reply.body as string).trimEnd().split("\r\n");
    expect(head).toBe(
      "day,hour,tenant,model,engine,priced_as,task,user_id,calls,engine_requests,failed,success_rate,input_tokens,output_tokens,units,micro_neurons,neurons,estimated_micro_neurons,held_micro_neurons,cost_usd,charge_usd,refused,p50_ms,p95_ms,p99_ms,verdicts,verdict_micro_neurons,reused_verdicts,saved_micro_neurons,spared_stages,spared_at_most_micro_neurons,free_checks,compared_texts,disagreed,key_id",
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toBe(
      ',,acme,\'@cf/meta/llama-3.1-8b-instruct-fp8,workers-ai,\'@cf/meta/llama-3.1-8b-instruct-fp8,text_generation,,,20,1,0.95,80,10,"{""input_token"":80,""output_token"":10}",4000000000,4000,7,0,0.044,,,,,,,,,,,,,,,',
    );
  });

  it("is a line for each row, as the rows of the page are", async () => {
    await seed();
    const { body: page } = await admin("GET", "/admin/usage?group_by=tenant,day");
    const reply = await ask("GET", "/admin/usage?group_by=tenant,day&limit=1", {
      key: env.ADMIN_TOKEN,
      headers: { Accept: "application/x-ndjson" },
    });
    const lines = (reply.body as string).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(page.data);
  });

  it("streams more rows than one look at the database takes", async () => {
    const hours = Array.from({ length: 31 * 24 }, (_, at) => HOUR - at);
    const rows = [acme, zenith].flatMap((owner) => hours.map((hour) => ({ ...owner, hour })));
    await seedCallHours(rows.map((row) => ({ ...A_CALL_HOUR, ...row })));
    const from = formatDay(TODAY - 30);
    const path = `/admin/usage?format=ndjson&group_by=tenant,hour&from=${from}`;
    const reply = await ask("GET", path, { key: env.ADMIN_TOKEN });
    const lines = (reply.body as string).trimEnd().split("\n");
    expect(new Set(lines).size).toBe(2 * (30 * 24 + 1));
    expect(startOf(TODAY)).toBe(HOUR * 3_600_000);
  });
});

describe("a deployment without reports", () => {
  it.each(["/admin/usage", "/admin/moderation-log"])("says so: %s", async (path) => {
    const reply = await ask("GET", path, { key: env.ADMIN_TOKEN, env: { REPORTS: undefined } });
    expect(reply.status).toBe(404);
    expect(reply.body).toMatchObject({
      kind: "not_found",
      detail: "There is no such report: this deployment has no database of reports.",
    });
  });

  it.each(["/admin/usage", "/admin/moderation-log", "/admin/usage?format=csv"])(
    "is not one whose database does not answer: %s",
    async (path) => {
      const broken = {
        prepare: () => ({
          bind: () => broken.prepare(),
          first: () => Promise.reject(new Error("gone")),
          all: () => Promise.reject(new Error("gone")),
        }),
        batch: () => Promise.reject(new Error("gone")),
      };
      const reply = await ask("GET", path, { key: env.ADMIN_TOKEN, env: { REPORTS: broken } });
      expect(reply.status).toBe(503);
      expect(reply.body.kind).toBe("unavailable");
    },
  );
});
