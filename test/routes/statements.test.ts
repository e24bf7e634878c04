import { beforeAll, describe, expect, it } from "vitest";
import { chargeUsd } from "../../src/domain/ledger/money.ts";
import { admin, ask, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { env } from "cloudflare:workers";

// A month's statement, held against the journal that it is made of.

const MONTH = new Date().toISOString().slice(0, 7);
const KIND = "Nice to meet you all here today";

type Line = Record<string, number | string | null>;

async function journalOf(tenant: TestTenant): Promise<readonly Line[]> {
  const accept = { Accept: "application/x-ndjson" };
  const { body } = await tenant.call("GET", "/v1/ledger", undefined, accept);
  return (body as unknown as string)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

const total = (lines: readonly Line[], name: string): bigint =>
  lines.reduce((sum, line) => sum + BigInt(line[name] ?? 0), 0n);

const owedOf = (lines: readonly Line[]): string =>
  chargeUsd(
    lines.flatMap(({ overage_micro_neurons: amount, overage_usd_per_1000_neurons: rate }) =>
      rate === null ? [] : [{ microNeurons: Number(amount), usdPer1000: String(rate) }],
    ),
  );

/** A paid tenant whose overage changed its price in the course of the month. */
async function twoRates(id: string): Promise<TestTenant> {
  const tenant = await makeTenant(id, { plan: "paid", daily_neurons: 12 });
  const call = () => tenant.call("POST", "/v1/verdicts", { text: KIND });
  await call();
  await call();
  await admin("PATCH", `/admin/tenants/${id}`, { overage_usd_per_1000_neurons: "0.02" });
  await call();
  return tenant;
}

let tenant: TestTenant;
let lines: readonly Line[];
let statement: Reply;
beforeAll(async () => {
  tenant = await twoRates("stated");
  lines = await journalOf(tenant);
  statement = await tenant.call("GET", `/v1/statements/${MONTH}`);
});

const as = (format: string): Promise<Reply> =>
  tenant.call("GET", `/v1/statements/${MONTH}?format=${format}`);

describe("a statement", () => {
  it("is the sum over the journal, to the micro-neuron, and owes what its lines owe", () => {
    const { body } = statement;
    expect(lines).toHaveLength(3);
    const posted = Number(total(lines, "micro_neurons"));
    expect(body.totals).toMatchObject({
      calls: 3,
      micro_neurons: posted,
      used_micro_neurons: posted,
      quota_micro_neurons: 12_000_000,
      overage_micro_neurons: posted - 12_000_000,
      adds_up: true,
    });
    const used = body.days.flatMap((day: { lines: readonly Line[] }) => day.lines);
    expect(Number(total(used, "micro_neurons"))).toBe(posted);
    expect(Number(total(body.models, "micro_neurons"))).toBe(posted);
    expect(body.totals.overage.map((one: Line) => one["usd_per_1000_neurons"])).toEqual([
      "0.011",
      "0.02",
    ]);
    expect(body.totals.charge_usd).toBe(owedOf(lines));
    expect(body.totals.charge_usd).not.toBe("0");
    expect(body.totals.total_usd).toBe("0.00");
  });

  it("says what it is made from, and that the month is not over", () => {
    expect(statement.body).toMatchObject({
      object: "statement",
      tenant: "stated",
      life: 1,
      lives: [1],
      month: MONTH,
      is_open: true,
      as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      price_book: lines[0]?.["price_book"],
      usd_per_1000_neurons: "0.011",
      adjustments: [],
    });
  });

  it("is the same for the platform", async () => {
    const { body } = await admin("GET", `/admin/tenants/stated/statements/${MONTH}`);
    expect(body).toEqual({ ...statement.body, as_of: expect.any(String) });
  });

  it("is empty for a month in which there was nothing", async () => {
    const { body } = await tenant.call("GET", "/v1/statements/2020-02");
    expect(body).toMatchObject({ days: [], is_open: false, totals: { total_usd: "0.00" } });
  });

  it("is the manager's and the platform's alone", async () => {
    const key = await makeKey("stated", "review");
    const reply = await ask("GET", `/v1/statements/${MONTH}`, { key });
    expect([reply.status, reply.body.kind]).toEqual([403, "role_required"]);
    const other = await makeTenant("curious");
    const { body } = await other.call("GET", `/v1/statements/${MONTH}`);
    expect(body).toMatchObject({ tenant: "curious", days: [] });
  });

  it.each(["2026-13", "2026", "november", "2026-11-01", "1969-12", "%00"])(
    "refuses the month %s",
    async (month) => {
      const reply = await tenant.call("GET", `/v1/statements/${month}`);
      expect([reply.status, reply.body.errors?.[0].pointer]).toEqual([400, "#/month"]);
    },
  );

  it.each(["format=pdf", "life=0", "life=x", "planet=1"])("refuses ?%s", async (query) => {
    const reply = await tenant.call("GET", `/v1/statements/${MONTH}?${query}`);
    expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, `#/${query.split("=")[0]}`]);
  });
});

const adjust = (line: Line | undefined, body: object): Promise<Reply> =>
  admin("POST", "/admin/tenants/contested/adjustments", { line_id: line?.["id"], ...body });

describe("a statement with adjustments", () => {
  const HOSTILE = "<script>alert(1)</script>";

  it("holds them with their reasons, and still is the sum over the journal", async () => {
    const given = await twoRates("contested");
    const used = (await journalOf(given)).filter(({ route }) => route !== "adjustment");
    // The newest line, whose rate is 0.02, in part; the oldest whole, most of which was quota.
    expect((await adjust(used[0], { neurons: 1.5, reason: HOSTILE })).status).toBe(201);
    expect((await adjust(used.at(-1), { reason: "ran twice" })).status).toBe(201);

    const journal = await journalOf(given);
    expect(journal).toHaveLength(5);
    const { body } = await given.call("GET", `/v1/statements/${MONTH}`);
    const back = total(journal, "micro_neurons") - total(used, "micro_neurons");
    expect(back).toBeLessThan(-1_500_000n);
    expect(body.totals).toMatchObject({
      micro_neurons: Number(total(journal, "micro_neurons")),
      used_micro_neurons: Number(total(used, "micro_neurons")),
      adjusted_micro_neurons: Number(back),
      quota_micro_neurons: Number(total(journal, "quota_micro_neurons")),
      overage_micro_neurons: Number(total(journal, "overage_micro_neurons")),
      adds_up: true,
    });
    // What is owed is what its lines owe, those that give back too.
    const owed = body.totals.overage.map((one: Line) => [
      one["usd_per_1000_neurons"],
      BigInt(one["micro_neurons"] ?? 0),
    ]);
    for (const [rate, amount] of owed) {
      const ofRate = journal.filter((line) => line["overage_usd_per_1000_neurons"] === rate);
      expect(amount).toBe(total(ofRate, "overage_micro_neurons"));
    }
    expect(owed.map(([rate]: [string]) => rate)).toEqual(["0.011", "0.02"]);
    expect(Number(body.totals.charge_usd)).toBeGreaterThan(0);
    expect(body.adjustments.map((made: Line) => [made["adjusts"], made["reason"]])).toEqual([
      [used[0]?.["id"], HOSTILE],
      [used.at(-1)?.["id"], "ran twice"],
    ]);

    const page = await given.call("GET", `/v1/statements/${MONTH}?format=html`);
    expect(String(page.body)).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(String(page.body)).not.toContain("<script");
    const streamed = await given.call("GET", `/v1/statements/${MONTH}?format=ndjson`);
    const rows = String(streamed.body)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    const [last] = rows.slice(-1);
    const detail = rows.filter(({ line }) => line === "usage" || line === "adjustment");
    expect(total(detail, "micro_neurons")).toBe(BigInt(last?.["micro_neurons"] ?? 0));

    // Reasons go with the tenant; what was given back stays in the daily totals.
    await admin("DELETE", "/admin/tenants/contested");
    const kept = await admin("GET", `/admin/tenants/contested/statements/${MONTH}`);
    expect(kept.body.totals).toEqual(body.totals);
    expect(kept.body.adjustments).toEqual([]);
  });
});

describe("its other forms", () => {
  it("are lines that add up to the same total", async () => {
    const reply = await as("ndjson");
    expect(reply.headers.get("content-type")).toBe("application/x-ndjson");
    const rows = (reply.body as unknown as string)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    const of = (kind: string) => rows.filter(({ line }) => line === kind);
    const [last] = of("total");
    expect(rows.at(-1)).toBe(last);
    const posted = total(lines, "micro_neurons");
    expect(total(of("usage"), "micro_neurons")).toBe(posted);
    expect(total(of("day"), "micro_neurons")).toBe(posted);
    expect(total(of("overage"), "micro_neurons")).toBe(posted - 12_000_000n);
    expect(last).toMatchObject({ total_usd: "0.00", adds_up: true, calls: 3 });
  });

  it("are a table with a cell for each column", async () => {
    const reply = await tenant.call("GET", `/v1/statements/${MONTH}`, undefined, {
      Accept: "text/csv",
    });
    expect(reply.headers.get("content-disposition")).toBe(
      `attachment; filename="statement-stated-${MONTH}.csv"`,
    );
    const [head = "", ...rows] = (reply.body as unknown as string).trimEnd().split("\r\n");
    expect(head.startsWith("line,tenant,month,day,model,")).toBe(true);
    // No cell of these has a comma in it.
    const cells = rows.map((row) => row.split(","));
    expect(new Set(cells.map(({ length }) => length))).toEqual(new Set([head.split(",").length]));
    const at = head.split(",").indexOf("micro_neurons");
    const used = cells.filter(([line]) => line === "usage");
    expect(used.reduce((sum, row) => sum + BigInt(row[at] ?? 0), 0n)).toBe(
      total(lines, "micro_neurons"),
    );
  });

  it("are a page to print, which runs and loads nothing", async () => {
    const reply = await tenant.call("GET", `/v1/statements/${MONTH}`, undefined, {
      Accept: "text/html,application/xhtml+xml,*/*;q=0.8",
    });
    const text = reply.body as unknown as string;
    expect(reply.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(reply.headers.get("cache-control")).toBe("no-store");
    const policy = reply.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    const nonce = /style-src 'nonce-([^']+)'/.exec(policy)?.[1];
    expect(text).toContain(`<style nonce="${nonce}">`);
    expect(text).not.toMatch(/<script|<link|<img|\son\w+=|javascript:/i);
    expect(text).toContain("This month is not over");
    expect(text).toContain(`USD ${owedOf(lines)}`);
    const again = await as("html");
    expect(again.headers.get("content-security-policy")).not.toBe(policy);
  });
});

describe("of a tenant that was deleted", () => {
  it("the platform still has one, from the daily totals that were kept", async () => {
    const gone = await twoRates("left");
    const journal = await journalOf(gone);
    const { body: before } = await gone.call("GET", `/v1/statements/${MONTH}`);
    await admin("DELETE", "/admin/tenants/left");
    const path = `/admin/tenants/left/statements/${MONTH}`;
    const { body } = await admin("GET", path);
    expect(body).toEqual({ ...before, is_open: false, as_of: expect.any(String) });
    expect(body.totals.charge_usd).toBe(owedOf(journal));
    expect((await gone.call("GET", `/v1/statements/${MONTH}`)).status).toBe(401);

    // Its id lives on: what the first life owed is told apart, and not told to the second.
    const second = await makeTenant("left");
    await second.call("POST", "/v1/verdicts", { text: KIND });
    const present = await admin("GET", path);
    expect(present.body).toMatchObject({ life: 2, lives: [1, 2], totals: { calls: 1 } });
    const first = await admin("GET", `${path}?life=1`);
    expect(first.body).toMatchObject({ life: 1, lives: [1, 2], totals: body.totals });
    expect((await second.call("GET", `/v1/statements/${MONTH}`)).body).toMatchObject({
      life: 2,
      lives: [2],
      totals: { calls: 1 },
    });
    const peek = await second.call("GET", `/v1/statements/${MONTH}?life=1`);
    expect([peek.status, peek.body.kind]).toEqual([404, "not_found"]);
    const own = await second.call("GET", `/v1/statements/${MONTH}?life=2`);
    expect(own.body.life).toBe(2);

    // Two lives that ended stay apart; the last one is meant where none is named.
    await admin("DELETE", "/admin/tenants/left");
    const last = await admin("GET", path);
    expect(last.body).toMatchObject({ life: 2, lives: [1, 2], totals: { calls: 1 } });
    expect((await admin("GET", `${path}?life=1`)).body.totals).toEqual(body.totals);
  });

  it("there is none of a life that never was, nor of a tenant that never was", async () => {
    const path = `/admin/tenants/stated/statements/${MONTH}`;
    const never = await admin("GET", `${path}?life=7`);
    expect([never.status, never.body.detail]).toEqual([404, "There is no such statement."]);
    const nobody = await admin("GET", `/admin/tenants/nobody/statements/${MONTH}`);
    expect([nobody.status, nobody.body.detail]).toEqual([404, "There is no such tenant."]);
  });

  it("is unavailable while the object that has the totals does not answer", async () => {
    const lost = Object.assign(new Error("gone"), { retryable: true });
    const gone = {
      ACCOUNT: { getByName: () => ({ readClosedMonth: () => Promise.reject(lost) }) },
    };
    const path = `/admin/tenants/stated/statements/${MONTH}`;
    const reply = await ask("GET", path, { key: env.ADMIN_TOKEN, env: gone });
    expect([reply.status, reply.body.kind]).toEqual([503, "unavailable"]);
  });
});
