import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";

// A tenant's own report: what `shapes.test.ts` holds of the contract's example, and what is beside it.

const usage = (tenant: TestTenant, query: string) => tenant.call("GET", `/v1/usage?${query}`);

describe("GET /v1/usage", () => {
  // No test changes it.
  let tenant: TestTenant;
  beforeAll(async () => {
    tenant = await makeTenant("reported", { plan: "paid", daily_neurons: 5 });
    await tenant.call("POST", "/v1/verdicts", { text: "Nice to meet you", user_id: "u_1" });
    await tenant.call("POST", "/v1/verdicts", { text: "Nice to meet you all" });
  });

  it("has rows by day with calls and what is owed, and rows by task", async () => {
    const { body } = await usage(tenant, "group_by=day");
    const [day] = body.data;
    expect(body.data).toHaveLength(1);
    expect(day).toMatchObject({
      calls: 2,
      micro_neurons: body.totals.micro_neurons,
      charge_usd: body.totals.charge_usd,
      model: null,
      tenant: null,
    });
    expect(Number(day.charge_usd)).toBeGreaterThan(0);
    const tasks = (await usage(tenant, "group_by=task")).body.data;
    expect(tasks.map(({ task }: { task: string }) => task)).toEqual([
      "text_classification",
      "text_generation",
    ]);
    expect(tasks[1]).toMatchObject({ calls: null, charge_usd: null, success_rate: 1 });
    const units = tasks.map((row: { units: Record<string, number> }) => row.units["input_token"]);
    expect(tasks.map((row: { input_tokens: number }) => row.input_tokens)).toEqual(units);
  });

  it("has rows by three keys at most, and says so", async () => {
    const three = await usage(tenant, "group_by=day,user,model");
    expect([three.status, three.body.group_by]).toEqual([200, ["day", "user", "model"]]);
    const four = await usage(tenant, "group_by=day,user,key,model");
    expect([four.status, four.body.errors]).toEqual([
      400,
      [
        {
          pointer: "#/group_by",
          detail: "must be at most 3 of day, hour, model, task, user, key, each once",
        },
      ],
    ]);
  });

  it("tells the month to date, whatever the range", async () => {
    const today = await usage(tenant, "group_by=day");
    const { body } = await usage(tenant, "from=2026-01-01&to=2026-01-01");
    expect(body.totals.micro_neurons).toBe(0);
    expect(body.month.to_date).toEqual(today.body.month.to_date);
    expect(body.month.to_date.charge_usd).toBe(today.body.totals.charge_usd);
  });

  it("is a table or lines of all rows, whatever the page", async () => {
    const { body: page } = await usage(tenant, "group_by=day,model");
    const table = await usage(tenant, "group_by=day,model&format=csv&limit=1");
    expect(table.headers.get("content-disposition")).toMatch(
      /^attachment; filename="usage-reported-[\d-]+\.csv"$/,
    );
    expect((table.body as unknown as string).trimEnd().split("\r\n")).toHaveLength(
      1 + page.data.length,
    );
    const accept = { Accept: "application/x-ndjson" };
    const path = "/v1/usage?group_by=day,model&limit=1";
    const streamed = await tenant.call("GET", path, undefined, accept);
    const lines = (streamed.body as unknown as string).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(page.data);
  });
});

const TEXT = "Our library has many books about gardens and birds";

/** Its policy reuses verdicts and has a term that blocks. */
const aReuser = async (id: string): Promise<TestTenant> => {
  const tenant = await makeTenant(id, { daily_neurons: 1000 });
  const terms = { block: ["zebrafish"] };
  await tenant.onWorkersAi("PUT", "/v1/policies/default", { reuse_ttl_s: 600, terms });
  return tenant;
};
const judge = async (tenant: TestTenant, body: object) =>
  (await tenant.onWorkersAi("POST", "/v1/verdicts", body)).body;

/** Four verdicts on one text, of which three are reused. Returns the first. */
const judgeAndReuse = async (tenant: TestTenant) => {
  const first = await judge(tenant, { text: TEXT });
  await judge(tenant, { text: TEXT });
  await tenant.onWorkersAi("POST", "/v1/moderations", { input: [TEXT, TEXT] });
  return first;
};

/** A term spares the classifier and the judge. */
const judgeByTerm = (tenant: TestTenant) =>
  judge(tenant, { text: "A zebrafish swims in our library" });

/** One check of a policy without engines, and one test input, which is not counted. */
const judgeFree = async (tenant: TestTenant) => {
  await tenant.onWorkersAi("PUT", "/v1/policies/free", { preset: "free" });
  await judge(tenant, { text: TEXT, policy: "free" });
  await judge(tenant, { text: "neurogate:test:block" });
};

const verdicts = async (tenant: TestTenant) =>
  (await usage(tenant, "group_by=day")).body.totals.verdicts as Record<
    string,
    number | string | null
  >;

describe("what verdicts cost and what was saved", () => {
  it("is nothing before there was any", async () => {
    expect(await verdicts(await aReuser("saved-nothing"))).toEqual({
      made: 0,
      micro_neurons: 0,
      micro_neurons_each: null,
      reused: 0,
      saved_micro_neurons: 0,
      spared_stages: 0,
      spared_at_most_micro_neurons: 0,
      spared_basis: "plan_bound",
      free_checks: 0,
      compared: 0,
      disagreed: {},
    });
  });

  it("adds up from what was judged, reused, spared and free", async () => {
    const tenant = await aReuser("saved-sums");
    const first = await judgeAndReuse(tenant);
    const cost = first.micro_neurons as number;
    expect(cost).toBeGreaterThan(0);
    const after = await verdicts(tenant);
    expect(after).toMatchObject({
      made: 4,
      micro_neurons: cost,
      micro_neurons_each: Math.round(cost / 4),
      reused: 3,
      saved_micro_neurons: 3 * cost,
      spared_stages: 0,
      free_checks: 0,
      compared: 0,
      disagreed: {},
    });

    // The most that the spared stages could use was held.
    const blocked = await judgeByTerm(tenant);
    expect(blocked).toMatchObject({ decision: "block", micro_neurons: 0 });
    const lines = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(lines[0].verdict_id).toBe(blocked.id);
    expect(await verdicts(tenant)).toMatchObject({
      made: 5,
      micro_neurons: cost,
      spared_stages: 2,
      spared_at_most_micro_neurons: lines[0].held_micro_neurons,
    });

    await judgeFree(tenant);
    const all = await verdicts(tenant);
    expect(all).toMatchObject({ made: 6, spared_stages: 2, free_checks: 1, micro_neurons: cost });
    const totals = (await usage(tenant, "group_by=day")).body.totals;
    expect(totals.micro_neurons).toBe(all["micro_neurons"]);
    expect((await tenant.call("GET", "/v1/invariants")).body.holds).toBe(true);
  });

  it("stands in rows of calls, in tables and in lines, and not in rows of models", async () => {
    const tenant = await aReuser("saved-rows");
    await judgeAndReuse(tenant);
    await judgeByTerm(tenant);
    await judgeFree(tenant);
    const all = await verdicts(tenant);
    const { body } = await usage(tenant, "group_by=day");
    expect(body.data[0].verdicts).toEqual(all);
    const models = (await usage(tenant, "group_by=model")).body.data;
    expect(models.map((row: { verdicts: unknown }) => row.verdicts)).toEqual(
      models.map(() => null),
    );
    const table = (await usage(tenant, "group_by=day&format=csv")).body as unknown as string;
    const [head = "", row = ""] = table.trimEnd().split("\r\n");
    const cells = Object.fromEntries(
      head.split(",").map((name, at) => [name, row.split(",").at(at - head.split(",").length)]),
    );
    expect(cells).toMatchObject({
      verdicts: "6",
      verdict_micro_neurons: String(all["micro_neurons"]),
      reused_verdicts: "3",
      saved_micro_neurons: String(all["saved_micro_neurons"]),
      spared_stages: "2",
      free_checks: "1",
    });
    const line = (await usage(tenant, "group_by=day&format=ndjson")).body as unknown as string;
    expect(JSON.parse(line.trim()).verdicts).toEqual(all);
  });
});
