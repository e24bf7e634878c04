import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  adjust,
  type Adjustment,
  amountOf,
  drawnLess,
} from "../../../src/domain/ledger/adjustment.ts";
import {
  addAdjustment,
  addLine,
  addRefused,
  type DayTotals,
  NO_TOTALS,
} from "../../../src/domain/ledger/day-totals.ts";
import { charged, type Item, type JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { parseMonth } from "../../../src/domain/ledger/month.ts";
import { chargeUsd } from "../../../src/domain/ledger/money.ts";
import { addDrawn, draw, type Drawn, NOTHING_DRAWN } from "../../../src/domain/ledger/quota.ts";
import { isOpen, makeStatement } from "../../../src/domain/usage/statement.ts";
import type { DayUsage } from "../../../src/domain/usage/tenant-usage.ts";

const NOVEMBER = parseMonth("2026-11") ?? expect.fail("it is a month");
const RATES = ["0.011", "0.02", "0.0000007"] as const;

interface Call {
  readonly day: number;
  readonly amounts: readonly number[];
  readonly rate: (typeof RATES)[number];
}

const anItem = (amount: number, at: number): Item => ({
  content: 0,
  stage: "judge",
  input: "text",
  model: `model-${at}`,
  engine: "workers-ai",
  pricedAs: `model-${at}`,
  task: "text_generation",
  calls: 1,
  units: { input_token: amount % 1000 },
  microNeurons: microNeurons(amount),
  overrun: ZERO,
  basis: "measured",
  failed: false,
});

/** Lines as the ledger posts them: at the rate of the moment, beyond a quota of a day. */
function linesOf(calls: readonly Call[]): readonly JournalLine[] {
  const drawnByDay = new Map<number, Drawn>();
  return calls.map(({ day, amounts, rate }, at) => {
    const items = amounts.map(anItem);
    const amount = microNeurons(amounts.reduce((sum, one) => sum + one, 0));
    const before = drawnByDay.get(day) ?? NOTHING_DRAWN;
    const terms = {
      plan: "paid",
      daily: microNeurons(50_000_000),
      overageCap: "unlimited",
      overageUsdPer1000: rate,
    } as const;
    const drawn = draw(terms, before, amount);
    drawnByDay.set(day, addDrawn(before, drawn));
    return {
      callId: `jnl_${at}`,
      day: NOVEMBER.first + day,
      drawn,
      grants: [],
      overrun: ZERO,
      overageUsdPer1000: drawn.overage > 0 ? rate : null,
      items,
    } as unknown as JournalLine;
  });
}

/** The daily books that the ledger keeps of them. */
function booksOf(
  lines: readonly JournalLine[],
  adjustments: readonly Adjustment[] = [],
): readonly DayUsage[] {
  return [...Map.groupBy(lines, ({ day }) => day)].map(([day, ofDay]) => {
    const back = adjustments.filter((made) => made.day === day);
    const drawn = ofDay.map((line) => line.drawn).reduce(addDrawn, NOTHING_DRAWN);
    const totals = ofDay.reduce<DayTotals>(addLine, NO_TOTALS);
    return {
      day,
      drawn: back.reduce(drawnLess, drawn),
      totals: back.reduce<DayTotals>(addAdjustment, totals),
    };
  });
}

/** Of every line a share is given back: nothing, a part, or all. */
const givenBackOf = (
  lines: readonly JournalLine[],
  shares: readonly number[],
): readonly Adjustment[] =>
  lines.flatMap((line, at) => {
    const amount = microNeurons(Math.floor((charged(line) * (shares[at] ?? 0)) / 4));
    const ask = { id: `jnl_a${at}`, requestId: "", reason: "contested", amount, nowMs: 1 };
    const made = amount === 0 ? null : adjust(line, [], ask);
    return made?.kind === "adjusted" ? [made.adjustment] : [];
  });

const shown = (made: Adjustment) => ({
  id: made.id,
  adjusts: made.adjusts,
  day: made.day,
  atMs: made.madeAtMs,
  microNeurons: 0 - amountOf(made),
  reason: made.reason,
});

const someCalls = fc.array(
  fc.record({
    day: fc.integer({ min: 0, max: 4 }),
    amounts: fc.array(fc.integer({ min: 0, max: 40_000_000 }), { minLength: 1, maxLength: 3 }),
    rate: fc.constantFrom(...RATES),
  }),
);

const big = (lines: readonly JournalLine[], amount: (line: JournalLine) => number): bigint =>
  lines.reduce((sum, line) => sum + BigInt(amount(line)), 0n);

describe("a statement", () => {
  it("adds up to the journal to the micro-neuron, and owes what its lines owe, exactly", () => {
    fc.assert(
      fc.property(someCalls, (calls) => {
        const journal = linesOf(calls);
        const { days, models, sums, totalUsd } = makeStatement(booksOf(journal), []);
        const posted = big(journal, charged);
        expect(sums.quota + sums.granted + sums.overage).toBe(posted);
        expect(sums.used).toBe(posted);
        const lines = days.flatMap((day) => day.lines);
        expect(lines.reduce((sum, line) => sum + line.microNeurons, 0n)).toBe(posted);
        expect(models.reduce((sum, line) => sum + line.microNeurons, 0n)).toBe(posted);
        // What is owed, line by line, at the rate at which each was posted.
        const owed = chargeUsd(
          journal.flatMap(({ drawn, overageUsdPer1000: usdPer1000 }) =>
            usdPer1000 === null ? [] : [{ microNeurons: drawn.overage, usdPer1000 }],
          ),
        );
        expect(sums.chargeUsd).toBe(owed);
        expect(Math.abs(Number(totalUsd) - Number(owed))).toBeLessThanOrEqual(0.005 + 1e-12);
        expect(sums.addsUp).toBe(true);
        expect(days.every(({ addsUp }) => addsUp)).toBe(true);
      }),
    );
  });

  it("holds what was given back, of whichever lines, at their own rates", () => {
    const shares = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 20 });
    fc.assert(
      fc.property(someCalls, shares, (calls, given) => {
        const journal = linesOf(calls);
        const adjustments = givenBackOf(journal, given);
        const back = adjustments.reduce((sum, made) => sum + BigInt(amountOf(made)), 0n);
        const { sums, adjustments: listed } = makeStatement(
          booksOf(journal, adjustments),
          adjustments.map(shown),
        );
        const posted = big(journal, charged);
        expect(sums.used).toBe(posted);
        expect(sums.adjusted).toBe(-back);
        expect(sums.quota + sums.granted + sums.overage).toBe(posted - back);
        expect(listed.reduce((sum, made) => sum + BigInt(made.microNeurons), 0n)).toBe(-back);
        // Each line's overage less what came back of it, at that line's rate.
        const owed = chargeUsd(
          journal.flatMap(({ callId, drawn, overageUsdPer1000: usdPer1000 }) => {
            const made = adjustments.find(({ adjusts }) => adjusts === callId);
            const overage = drawn.overage - (made?.givenBack.overage ?? 0);
            return usdPer1000 === null ? [] : [{ microNeurons: overage, usdPer1000 }];
          }),
        );
        expect(sums.chargeUsd).toBe(owed);
        expect(sums.addsUp).toBe(true);
      }),
    );
  });

  it("is worked out by hand: overage at two rates in one month", () => {
    const journal = linesOf([
      { day: 0, amounts: [30_000_000, 30_000_000], rate: "0.011" },
      { day: 0, amounts: [5_000_000], rate: "0.02" },
      { day: 2, amounts: [50_000_001], rate: "0.02" },
    ]);
    const { days, sums, totalUsd } = makeStatement(booksOf(journal), []);
    expect(days.map(({ day, calls, overage }) => [day - NOVEMBER.first, calls, overage])).toEqual([
      [0, 2, 15_000_000n],
      [2, 1, 1n],
    ]);
    // 10 N at 0.011 a thousand; 5.000001 N at 0.02.
    expect(sums.overages).toEqual([
      { usdPer1000: "0.011", microNeurons: 10_000_000n, chargeUsd: "0.00011" },
      { usdPer1000: "0.02", microNeurons: 5_000_001n, chargeUsd: "0.00010000002" },
    ]);
    expect(sums.chargeUsd).toBe("0.00021000002");
    expect(totalUsd).toBe("0.00");
  });

  it("rounds the total alone, half up", () => {
    const totals = { ...NO_TOTALS, overageByRate: { "1": 5_000_000 } };
    const drawn = { ...NOTHING_DRAWN, overage: microNeurons(5_000_000) };
    const days = [0, 1, 2].map((day) => ({ day, drawn, totals }));
    // Thrice 0.005: not 0.03, which three rounded days would be.
    expect(makeStatement(days, [])).toMatchObject({
      sums: { chargeUsd: "0.015" },
      totalUsd: "0.02",
    });
  });

  it("says so when its lines are not what was drawn", () => {
    const [book = expect.fail("there is one")] = booksOf(
      linesOf([{ day: 0, amounts: [60_000_000], rate: "0.02" }]),
    );
    const short = { ...book, drawn: { ...book.drawn, quota: microNeurons(49_999_999) } };
    expect(makeStatement([short], []).sums.addsUp).toBe(false);
    const unrated = { ...book, totals: { ...book.totals, overageByRate: {} } };
    expect(makeStatement([unrated], []).days[0]?.addsUp).toBe(false);
    // Two days that are wrong by as much in opposite ways are wrong.
    const more = { ...book, day: book.day + 1 };
    const over = { ...more, drawn: { ...more.drawn, quota: microNeurons(50_000_001) } };
    expect(makeStatement([short, over], []).sums.addsUp).toBe(false);
  });

  it("is empty where nothing was used; refusals alone owe nothing", () => {
    expect(makeStatement([], [])).toMatchObject({ days: [], models: [], totalUsd: "0.00" });
    const refused = addRefused(NO_TOTALS, "rate_limited", 7);
    const { sums } = makeStatement([{ day: 1, drawn: NOTHING_DRAWN, totals: refused }], []);
    expect(sums).toMatchObject({ calls: 0, used: 0n, chargeUsd: "0", addsUp: true });
  });
});

describe("an open month", () => {
  it.each([
    ["its last day", NOVEMBER.end - 1, null, true],
    ["the day after", NOVEMBER.end, null, false],
    ["the day after, while a call of it is in progress", NOVEMBER.end, NOVEMBER.end - 1, true],
    ["the day after, with a call of that day", NOVEMBER.end, NOVEMBER.end, false],
  ])("on %s", (_, today, oldestOpenDay, open) => {
    expect(isOpen(NOVEMBER, { today, oldestOpenDay })).toBe(open);
  });
});
