import { describe, expect, it } from "vitest";
import { readPriceBook } from "../../../src/domain/catalogue/other-price-book.ts";
import {
  atOtherPrices,
  comparedModels,
  comparedPeriods,
  type ModelRow,
  type Period,
  reportTables,
  toMarkdown,
} from "../../../src/domain/usage/cost-report.ts";

const LLAMA = "@cf/meta/llama";
const BGE = "@cf/baai/bge";

const row = (model: string, more: Partial<ModelRow> = {}): ModelRow => ({
  model,
  engine: "workers-ai",
  task: "text_generation",
  priced_as: null,
  engine_requests: 4,
  success_rate: 0.75,
  units: { input_token: 3_000_000, output_token: 1_000_000 },
  input_tokens: 3_000_000,
  output_tokens: 1_000_000,
  micro_neurons: 2_000_000_000,
  latency: { p50_ms: 100, p95_ms: 900 },
  ...more,
});

const stand = (pricedAs: string, requests: number): ModelRow =>
  row("neurogate/extract@1", {
    engine: "embedded",
    priced_as: pricedAs,
    engine_requests: requests,
  });

const PERIOD: Period = {
  from: "2026-11-01",
  to: "2026-11-30",
  tenant: null,
  models: [row(LLAMA), row(BGE, { units: { input_token: 5 }, output_tokens: 0 })],
  totals: {
    calls: 1000,
    success_rate: 0.999,
    input_tokens: 6_000_000,
    output_tokens: 1_000_000,
    micro_neurons: 3_999_000_000,
    adjusted_micro_neurons: -1_000_000,
    cost_usd: "0.044",
    latency: { p50_ms: 90, p95_ms: 800 },
  },
  services: {
    ai: { cost_usd: "0.03", basis: "counted", unknown: [] },
    workers: { cost_usd: "0.01", basis: "estimated", unknown: [] },
    images: { cost_usd: null, basis: "unknown", unknown: ["image_transformations"] },
  },
  documents: {
    documents: 50,
    services: {
      ai: { cost_usd: "0.03", basis: "counted", unknown: [] },
      workflows: { cost_usd: "0.01", basis: "estimated", unknown: ["workflow_storage"] },
      r2: { cost_usd: null, basis: "unknown", unknown: ["r2_reads"] },
    },
  },
  executions: {
    pipelines: {
      executions: 3,
      completed: 2,
      steps: 40,
      duration_ms: 7000,
      micro_neurons: 1_000_000_000,
      documents_succeeded: 7,
      documents_failed: 5,
    },
    batches: { executions: 0, completed: 0, steps: 0, duration_ms: 0, micro_neurons: 0 },
  },
};

const tableOf = (period: Period, title: string) =>
  reportTables(period).find((table) => table.title === title) ?? expect.fail(`no ${title}`);

describe("the report of a period", () => {
  it("has use, latency, success and exact cost by model", () => {
    const { rows } = tableOf(PERIOD, "Models");
    expect(rows[0]).toEqual([
      LLAMA,
      "workers-ai",
      "text_generation",
      null,
      4,
      "75 %",
      750_000,
      250_000,
      100,
      900,
      2_000_000_000,
      "0.022",
      5.5,
    ]);
  });

  it("gives back what an adjustment took off the journal's amount", () => {
    expect(tableOf(PERIOD, "Total").rows).toContainEqual(["Micro-neurons", 4_000_000_000]);
  });

  it("has the shares of what is known, and null of what is not", () => {
    expect(tableOf(PERIOD, "Costs by service").rows).toEqual([
      ["ai", "0.03", "75 %", 0.03, "counted", ""],
      ["workers", "0.01", "25 %", 0.01, "estimated", ""],
      ["images", null, null, null, "unknown", "image_transformations"],
    ]);
  });

  it("has the executions, and null of what none of them had", () => {
    expect(tableOf(PERIOD, "Workflow executions").rows).toEqual([
      ["Executions", 3, 0],
      ["Completed", "66.67 %", null],
      ["Steps", 40, 0],
      ["Average duration, ms", 2333, null],
      ["Micro-neurons", 1_000_000_000, 0],
      ["Cost, USD", "0.011", "0"],
      ["Documents succeeded", 7, null],
      ["Documents failed", 5, null],
    ]);
  });

  it("has the cost of 1,000 documents by service, with shares and what is not known", () => {
    expect(tableOf(PERIOD, "Cost per 1,000 documents").rows).toEqual([
      ["ai", 0.6, "75 %", "0.03", "counted", ""],
      ["workflows", 0.2, "25 %", "0.01", "estimated", "workflow_storage"],
      ["r2", null, null, null, "unknown", "r2_reads"],
      ["All that is known", 0.8, "100 %", 0.04, null, null],
    ]);
    const documents = { ...PERIOD.documents, documents: 0 };
    const none = tableOf({ ...PERIOD, documents }, "Cost per 1,000 documents");
    expect(none).toMatchObject({ rows: [], note: "No documents in this period." });
  });

  it("sets two periods and two models side by side", () => {
    const totals = { ...PERIOD.totals, calls: 800, success_rate: null };
    const before = { ...PERIOD, from: "2026-10-01", to: "2026-10-31", totals };
    const { columns, rows } = comparedPeriods(PERIOD, before);
    const reported = `${PERIOD.from} to ${PERIOD.to}`;
    expect(columns).toEqual(["Figure", "2026-10-01 to 2026-10-31", reported, "Change"]);
    expect(rows[0]).toEqual(["Calls", 800, 1000, "+25 %"]);
    expect(rows[1]).toEqual(["Success rate", null, "99.9 %", null]);
    const models = [...PERIOD.models, row(LLAMA, { engine: "cache", micro_neurons: 0 })];
    const beside = comparedModels({ ...PERIOD, models }, LLAMA, "@cf/none").rows;
    expect(beside[0]).toEqual(["Inferences", 8, 0, "-100 %"]);
    expect(beside[1]).toEqual(["Success rate", "75 %", null, null]);
    expect(beside.at(-2)).toEqual(["Cost, USD", "0.022", "0", "-100 %"]);
  });

  it("tells the uses of one stand-in apart by the models whose prices it was charged", () => {
    const models = [stand(LLAMA, 4), stand("@cf/other", 6)];
    const { rows } = tableOf({ ...PERIOD, models }, "Models");
    expect(rows.map((cells) => cells[3])).toEqual([LLAMA, "@cf/other"]);
    const beside = comparedModels({ ...PERIOD, models }, LLAMA, "@cf/other").rows;
    expect(beside[0]).toEqual(["Inferences", 4, 6, "+50 %"]);
  });

  it("is Markdown whose cells cannot end a table", () => {
    const models = [row("a|b\n`c`<b>")];
    const text = toMarkdown(tableOf({ ...PERIOD, models }, "Models"));
    expect(text).toContain("| a\\|b \\`c\\`\\<b\\> |");
    expect(toMarkdown(tableOf(PERIOD, "Cost per 1,000 documents"))).toContain(
      "| r2 | null | null | null | unknown | r2\\_reads |",
    );
  });
});

const BOOK = {
  name: "Elsewhere",
  date: "2026-11-01",
  source: "elsewhere.example/pricing",
  models: {
    [LLAMA]: {
      as: "small-1",
      prices: {
        input_token: { usd: "0.15", per: 1_000_000 },
        output_token: { usd: "0.60", per: 1_000_000 },
      },
    },
  },
};

const withPrice = (wrong: unknown) => ({
  ...BOOK,
  models: { [LLAMA]: { as: "x", prices: { input_token: wrong } } },
});

describe("another provider's price book", () => {
  it("prices the same units, and says null of what it does not have", () => {
    const book = readPriceBook(BOOK);
    const units = {
      input_token: 1_000_000,
      cached_input_token: 2_000_000,
      output_token: 1_000_000,
    };
    const models = [
      row(LLAMA, { units: { ...units, reasoning_token: 9 } }),
      row(LLAMA, { units: { ...units, tile: 3 } }),
      row(BGE),
      row("neurogate/extract@1", { units, priced_as: LLAMA }),
    ];
    expect(atOtherPrices({ ...PERIOD, models }, book).rows).toEqual([
      [LLAMA, "small-1", 4, "0.022", "1.05", "+4672.7 %"],
      [LLAMA, "small-1", 4, "0.022", null, null],
      [BGE, null, 4, "0.022", null, null],
      ["neurogate/extract@1", "small-1", 4, "0.022", "1.05", "+4672.7 %"],
    ]);
  });

  it("is refused with the name of the wrong field", () => {
    const price = { usd: "0.15", per: 1_000_000 };
    for (const [value, message] of [
      [[], "object"],
      [{ ...BOOK, date: "" }, '"date"'],
      [{ ...BOOK, models: null }, '"models"'],
      [{ ...BOOK, models: { [LLAMA]: { prices: {} } } }, '"as"'],
      [withPrice({ ...price, usd: 0.15 }), '"usd" of input_token'],
      [withPrice({ ...price, usd: "-1" }), '"usd" of input_token'],
      [withPrice({ ...price, per: 3 }), '"per" of input_token'],
    ] as const) {
      expect(() => readPriceBook(value)).toThrow(message);
    }
  });
});
