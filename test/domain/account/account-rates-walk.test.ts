import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AccountRates, type RateRequest } from "../../../src/domain/account/account-rates.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import { forgotten, type RateUses, takeRates } from "./plain-rates/account-rates.ts";

// The rates by their sums answer as the plain rules do, which look at all that each tenant took:
// `plain-rates/` has these.

const START_MS = 1_000_000_000_000;

/** Some are asked for call by call, some come in chunks, some change from one to the other. */
const CLASSES = ["none", "tiny", "small", "text", "edge", "large"] as const;
const LIMITS: Readonly<Record<(typeof CLASSES)[number], readonly number[]>> = {
  none: [0],
  tiny: [1, 3, 7],
  small: [20, 10, 60],
  text: [300, 30],
  edge: [300, 301, 40],
  large: [2000, 900, 302],
};

interface Step {
  readonly who: number;
  readonly calls: readonly RateUnits[];
  readonly more: RateUnits;
  readonly byMs: number;
  readonly limits: number;
}

const units = (most: number): fc.Arbitrary<RateUnits> =>
  fc.dictionary(fc.constantFrom<string>(...CLASSES), fc.nat(most), { maxKeys: 3 });

/** Nothing, too much, the same class again and again: whatever a tenant says. */
const anyUnits = fc.oneof(
  { weight: 8, arbitrary: units(4) },
  { weight: 2, arbitrary: units(40) },
  { weight: 1, arbitrary: units(5_000) },
);

const anyStep: fc.Arbitrary<Step> = fc.record({
  who: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(11) }),
  calls: fc.array(anyUnits, { maxLength: 5 }),
  more: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: anyUnits }),
  byMs: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0, 0, 1, 250, 700, 1_000) },
    { weight: 3, arbitrary: fc.constantFrom(3_000, 5_000, 9_999, 30_000) },
    { weight: 1, arbitrary: fc.constantFrom(60_000, 61_000, 67_500, 500_000) },
  ),
  limits: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(2)),
});

/** What all took, by class and second. */
function windowsOf(uses: RateUses): Record<string, readonly (readonly [number, number])[]> {
  const windows = [...uses].map(([name, ofClass]) => {
    const seconds = new Map<number, number>();
    for (const { window } of ofClass.values()) {
      for (const [second, count] of window) seconds.set(second, (seconds.get(second) ?? 0) + count);
    }
    return [name, [...seconds].toSorted(([a], [b]) => a - b)] as const;
  });
  return Object.fromEntries(windows.filter(([, window]) => window.length > 0));
}

describe("rates by their sums", () => {
  it("answer as rules that look at all takers", () => {
    let messages = 0;
    let refusals = 0;
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 1, maxLength: 120, size: "max" }), (steps) => {
        let plain: RateUses = new Map();
        const sums = new AccountRates([]);
        let nowMs = START_MS;
        for (const { who, calls, more, byMs, limits } of steps) {
          nowMs += byMs;
          const limitOf = (name: string): number => {
            const of = LIMITS[name as keyof typeof LIMITS];
            return of[limits % of.length] ?? 0;
          };
          const ask: RateRequest = { tenant: `t${who}`, calls, more };
          plain = forgotten(plain, nowMs);
          const expected = takeRates(plain, ask, limitOf, nowMs);
          plain = expected.uses;
          expect(sums.take(ask, limitOf, nowMs).answer).toEqual(expected.answer);
          const windows = [...sums.windows(nowMs)].filter(([, window]) => window.length > 0);
          expect(Object.fromEntries(windows)).toEqual(windowsOf(forgotten(plain, nowMs)));
          messages += 1;
          refusals += Object.keys(expected.answer.refused).length;
        }
      }),
      { numRuns: 250 },
    );
    expect(messages).toBeGreaterThan(5_000);
    expect(refusals).toBeGreaterThan(1_000);
  });

  it("know nothing of those who took nothing for a minute and want nothing", () => {
    const rates = new AccountRates([]);
    for (let at = 0; at < 500; at += 1) {
      rates.take({ tenant: `t${at}`, calls: [{ text: 1 }], more: {} }, () => 300, START_MS + at);
    }
    expect(rates.takers).toBe(500);
    rates.advance(START_MS + 30_000);
    expect(rates.takers).toBe(500);
    rates.advance(START_MS + 62_500);
    expect(rates.takers).toBe(0);
  });
});

/** So many take units of a class, some of them in vain: what one question costs then, in nodes. */
function stepsAt(takers: number): number {
  const rates = new AccountRates([]);
  const limitOf = () => takers * 2;
  const ask = (who: number, nowMs: number) =>
    rates.take(
      { tenant: `t${who}`, calls: [{ text: 1 + (who % 5) }], more: { text: 8 } },
      limitOf,
      nowMs,
    );
  for (let who = 0; who < takers; who += 1) ask(who, START_MS + (who % 40) * 1000);
  const before = rates.steps;
  for (let at = 0; at < 50; at += 1) {
    ask(Math.floor((at * takers) / 50), START_MS + 41_000);
  }
  return (rates.steps - before) / 50;
}

describe("a question for permits", () => {
  it("costs steps by the logarithm of the number of takers", () => {
    const [few, many] = [stepsAt(20), stepsAt(20_000)];
    expect(few).toBeGreaterThan(0);
    // For 1,000 times as many: trees are three times as deep, and a level takes more rounds to be found.
    expect(many / few).toBeLessThan(12);
    expect(many).toBeLessThan(3_000);
  });
});
