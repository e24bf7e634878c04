import { describe, expect, it } from "vitest";
import { NO_TOTALS } from "../../../src/domain/ledger/day-totals.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { parseMonth } from "../../../src/domain/ledger/month.ts";
import { NOTHING_DRAWN } from "../../../src/domain/ledger/quota.ts";
import { makeStatement } from "../../../src/domain/usage/statement.ts";
import { csv } from "../../../src/http/csv.ts";
import { toStatement } from "../../../src/api/native/statement.ts";
import { statementPage } from "../../../src/api/native/statement-page.ts";
import {
  STATEMENT_COLUMNS,
  statementRows,
  toStatementCells,
} from "../../../src/api/native/statement-rows.ts";

const HOSTILE = `</td><script>alert(1)</script><img src=x onerror="alert('x')">`;
const MONTH = parseMonth("2026-11") ?? expect.fail("it is a month");

const model = {
  model: HOSTILE,
  engine: HOSTILE,
  pricedAs: "=HYPERLINK(1)",
  task: "text_generation",
  engineRequests: 1,
  failed: 0,
  units: {},
  microNeurons: 1_234_567_890_123,
  estimated: 0,
  held: 0,
};

const drawn = { ...NOTHING_DRAWN, quota: microNeurons(model.microNeurons - 500) };
const day = { day: MONTH.first, drawn, totals: { ...NO_TOTALS, calls: 1, models: { m: model } } };
const adjustment = {
  id: "jnl_2",
  adjusts: "jnl_1",
  day: MONTH.first,
  atMs: 0,
  microNeurons: -500,
  reason: HOSTILE,
};
const head = {
  tenant: "acme",
  generation: 1,
  lives: [1],
  month: MONTH,
  isOpen: false,
  asOfMs: 0,
  priceBook: "book-1",
  usdPer1000: "0.011",
};
const body = toStatement(head, makeStatement([day], [adjustment]));

describe("a statement's page", () => {
  it("shows what models and reasons say, and does nothing of it", async () => {
    const page = await statementPage(body, "n1").text();
    expect(page).not.toContain("<script");
    expect(page).not.toContain("<img");
    expect(page.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThanOrEqual(2);
    // Every tag is one of ours.
    const tags = new Set([...page.matchAll(/<(\w+)/g)].map(([, tag]) => tag));
    expect([...tags].filter((tag) => /script|img|iframe|object|svg/.test(tag ?? ""))).toEqual([]);
  });

  it("has neurons in full, to the micro-neuron", async () => {
    expect(await statementPage(body, "n1").text()).toContain("1,234,567.890123");
  });

  it("warns of lines that do not add up", async () => {
    expect(body.totals.adds_up).toBe(false);
    expect(await statementPage(body, "n1").text()).toContain("Do not bill by them.");
  });

  it("makes no formula of it in a table", () => {
    const table = csv(STATEMENT_COLUMNS, statementRows(body).map(toStatementCells));
    expect(table).toContain(",'=HYPERLINK(1),");
    expect(table).not.toMatch(/(^|,)"?=/m);
    // A negative amount stays a number.
    expect(table).toContain(",-500,");
  });
});
