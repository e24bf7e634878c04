import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addLine,
  addRefused,
  type DayTotals,
  NO_TOTALS,
} from "../../../src/domain/ledger/day-totals.ts";
import { type Item, type JournalLine, makeHold, post } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { itemOf, stageOf, unasked } from "./ledger-fixtures.ts";

const lineOf = (
  items: readonly Item[],
  { drawnBefore = 0, rate = "0.011" }: { drawnBefore?: number; rate?: string } = {},
): JournalLine =>
  post(
    makeHold({
      callId: "jnl_01",
      requestId: "req_01",
      route: "POST /v1/verdicts",
      keyId: null,
      userId: null,
      day: 20_777,
      admittedAtMs: 0,
      deadlineMs: 90_000,
      priceBook: "2026-09",
      stages: [stageOf(1_000_000)],
    }),
    items,
    null,
    {
      terms: {
        plan: "paid",
        daily: microNeurons(100),
        overageCap: "unlimited",
        overageUsdPer1000: rate,
      },
      drawn: {
        quota: microNeurons(drawnBefore),
        granted: microNeurons(0),
        overage: microNeurons(0),
      },
      nowMs: 1,
    },
  );

const totalOf = ({ models }: DayTotals): number =>
  Object.values(models).reduce((total, each) => total + each.microNeurons, 0);

describe("addLine", () => {
  it("adds up by what ran, on which engine, at whose price", () => {
    const labels = { model: "@cf/microsoft/resnet-50", pricedAs: "@cf/microsoft/resnet-50" };
    const first = lineOf([
      itemOf(30, { calls: 2, units: { input_token: 20, output_token: 3 } }),
      itemOf(5, { ...labels, task: "image_classification", units: { image: 1 }, basis: "counted" }),
      unasked,
    ]);
    const second = lineOf([
      itemOf(40, { basis: "held", failed: true }),
      itemOf(7, { basis: "estimated", engine: "embedded", model: "neurogate/lexicon@1" }),
    ]);
    const totals = addLine(addLine(NO_TOTALS, first), second);
    const llama = "@cf/meta/llama-3.1-8b-instruct-fp8";
    expect(totals).toEqual({
      calls: 2,
      overrun: 0,
      models: {
        [`workers-ai|${llama}|${llama}`]: {
          model: llama,
          engine: "workers-ai",
          pricedAs: llama,
          task: "text_generation",
          engineRequests: 3,
          failed: 1,
          units: { input_token: 30, output_token: 3 },
          microNeurons: 70,
          estimated: 0,
          held: 40,
        },
        "workers-ai|@cf/microsoft/resnet-50|@cf/microsoft/resnet-50": {
          model: "@cf/microsoft/resnet-50",
          engine: "workers-ai",
          pricedAs: "@cf/microsoft/resnet-50",
          task: "image_classification",
          engineRequests: 1,
          failed: 0,
          units: { image: 1 },
          microNeurons: 5,
          estimated: 0,
          held: 0,
        },
        [`embedded|neurogate/lexicon@1|${llama}`]: {
          model: "neurogate/lexicon@1",
          engine: "embedded",
          pricedAs: llama,
          task: "text_generation",
          engineRequests: 1,
          failed: 0,
          units: { input_token: 10 },
          microNeurons: 7,
          estimated: 7,
          held: 0,
        },
      },
      overageByRate: {},
      refused: {},
    });
    expect(NO_TOTALS.models).toEqual({});
  });

  it("keeps overage by the rate at which it was drawn", () => {
    const lines = [
      lineOf([itemOf(30)], { drawnBefore: 90 }),
      lineOf([itemOf(5)], { drawnBefore: 100 }),
      lineOf([itemOf(8)], { drawnBefore: 100, rate: "0.02" }),
      lineOf([itemOf(8)], { rate: "0.03" }),
    ];
    const { overageByRate } = lines.reduce(addLine, NO_TOTALS);
    expect(overageByRate).toEqual({ "0.011": 25, "0.02": 8 });
  });

  it("counts a call that was voided, and what a call ran over", () => {
    const over = lineOf([itemOf(1_000_000, { overrun: microNeurons(9) })]);
    const totals = [lineOf([unasked]), over].reduce(addLine, NO_TOTALS);
    expect(totals).toMatchObject({ calls: 2, overrun: 9 });
  });

  it("is the sum of its lines, whatever the order", () => {
    const item = fc.record({
      amount: fc.nat(500_000),
      model: fc.constantFrom("a", "b", "c|d", "__proto__", "constructor", null),
    });
    const anyLine = fc
      .array(item, { maxLength: 4 })
      .map((items) => lineOf(items.map(({ amount, model }) => itemOf(amount, { model }))));
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 10 }), (lines) => {
        const items = lines.flatMap((line) => line.items.filter(({ model }) => model !== null));
        const totals = lines.reduce(addLine, NO_TOTALS);
        expect(totals.calls).toBe(lines.length);
        expect(totalOf(totals)).toBe(items.reduce((sum, each) => sum + each.microNeurons, 0));
        expect(lines.toReversed().reduce(addLine, NO_TOTALS)).toEqual(totals);
      }),
    );
  });
});

describe("addRefused", () => {
  it("counts by kind, and nothing else", () => {
    const once = addRefused(NO_TOTALS, "rate_limited", 3);
    const totals = addRefused(addRefused(once, "rate_limited", 9), "quota_exceeded", 1);
    expect(totals).toEqual({ ...NO_TOTALS, refused: { rate_limited: 12, quota_exceeded: 1 } });
  });
});
