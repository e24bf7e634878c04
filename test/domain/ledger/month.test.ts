import { describe, expect, it } from "vitest";
import { elapsedOf, forecast, parseMonth } from "../../../src/domain/ledger/month.ts";
import { formatDay, formatMonth, startOf } from "../../../src/domain/ledger/period.ts";

describe("a month", () => {
  it.each([
    ["2026-11", "2026-11-01", "2026-12-01"],
    ["2026-12", "2026-12-01", "2027-01-01"],
    ["2024-02", "2024-02-01", "2024-03-01"],
    ["1970-01", "1970-01-01", "1970-02-01"],
  ])("%s is from %s until %s", (name, first, end) => {
    const month = parseMonth(name);
    if (month === null) expect.fail("it is a month");
    expect([formatMonth(month), formatDay(month.first), formatDay(month.end)]).toEqual([
      name,
      first,
      end,
    ]);
  });

  it.each([
    "",
    "2026",
    "2026-00",
    "2026-13",
    "2026-1",
    "1969-12",
    "2026-11-01",
    " 2026-11",
    "2026-11\n",
  ])("%j is none", (text) => {
    expect(parseMonth(text)).toBeNull();
  });
});

const NOVEMBER = parseMonth("2026-11") ?? expect.fail("it is a month");
const SPENT = { microNeurons: 10_000_000_001n, costUsd: "0.110000000011", chargeUsd: "0.05" };

describe("the forecast", () => {
  it("goes on in a straight line from what is over of the month", () => {
    // Ten of thirty days: three times as much.
    const elapsed = elapsedOf(NOVEMBER, startOf(NOVEMBER.first + 10));
    expect(forecast(SPENT, elapsed)).toEqual({
      microNeurons: 30_000_000_003n,
      costUsd: "0.330000000033",
      chargeUsd: "0.15",
    });
  });

  it("is half up where it does not divide", () => {
    const elapsed = elapsedOf(NOVEMBER, startOf(NOVEMBER.first + 20));
    expect(forecast(SPENT, elapsed)?.microNeurons).toBe(15_000_000_002n);
  });

  it("is what it was when the month is over, whenever it is asked for", () => {
    for (const days of [0, 1, 300]) {
      expect(forecast(SPENT, elapsedOf(NOVEMBER, startOf(NOVEMBER.end + days)))).toEqual(SPENT);
    }
  });

  it("is none in a month's first hour, nor before it", () => {
    const start = startOf(NOVEMBER.first);
    expect(forecast(SPENT, elapsedOf(NOVEMBER, start + 3_599_999))).toBeNull();
    expect(forecast(SPENT, elapsedOf(NOVEMBER, start - 1))).toBeNull();
    // An hour of 720.
    expect(forecast(SPENT, elapsedOf(NOVEMBER, start + 3_600_000))?.chargeUsd).toBe("36");
  });
});
