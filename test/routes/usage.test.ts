import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";

// A tenant's own report: what `shapes.test.ts` holds of the contract's example, and what is beside it.

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("reported", { plan: "paid", daily_neurons: 5 });
  await tenant.call("POST", "/v1/verdicts", { text: "Nice to meet you", user_id: "u_1" });
  await tenant.call("POST", "/v1/verdicts", { text: "Nice to meet you all" });
});

const usage = (query: string) => tenant.call("GET", `/v1/usage?${query}`);

describe("GET /v1/usage", () => {
  it("has rows by day with calls and what is owed, and rows by task", async () => {
    const { body } = await usage("group_by=day");
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
    const tasks = (await usage("group_by=task")).body.data;
    expect(tasks.map(({ task }: { task: string }) => task)).toEqual([
      "text_classification",
      "text_generation",
    ]);
    expect(tasks[1]).toMatchObject({ calls: null, charge_usd: null, success_rate: 1 });
    const units = tasks.map((row: { units: Record<string, number> }) => row.units["input_token"]);
    expect(tasks.map((row: { input_tokens: number }) => row.input_tokens)).toEqual(units);
  });

  it("tells the month to date, whatever the range", async () => {
    const today = await usage("group_by=day");
    const { body } = await usage("from=2026-01-01&to=2026-01-01");
    expect(body.totals.micro_neurons).toBe(0);
    expect(body.month.to_date).toEqual(today.body.month.to_date);
    expect(body.month.to_date.charge_usd).toBe(today.body.totals.charge_usd);
  });

  it("is a table or lines of all rows, whatever the page", async () => {
    const { body: page } = await usage("group_by=day,model");
    const table = await usage("group_by=day,model&format=csv&limit=1");
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
