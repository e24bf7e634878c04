import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatNeurons,
  fromNeurons,
  least,
  microNeurons,
  minus,
  minusOrZero,
  most,
  plus,
  sum,
  toNeurons,
} from "../../../src/domain/ledger/micro-neurons.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const anyAmount = fc.maxSafeNat().map(microNeurons);

describe("microNeurons", () => {
  it.each([0, 1, 228_055, MAX])("takes %s", (value) => {
    expect(microNeurons(value)).toBe(value);
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, -Number.MIN_VALUE])(
    "refuses %s",
    (value) => {
      expect(() => microNeurons(value)).toThrow(RangeError);
    },
  );
});

describe("arithmetic", () => {
  const [one, two, max] = [microNeurons(1), microNeurons(2), microNeurons(MAX)];

  it("adds and subtracts exactly, and refuses what it cannot hold", () => {
    expect(plus(one, two)).toBe(3);
    expect(plus(max, microNeurons(0))).toBe(MAX);
    expect(() => plus(max, one)).toThrow(RangeError);
    expect(minus(two, one)).toBe(1);
    expect(() => minus(one, two)).toThrow(RangeError);
    expect(minusOrZero(one, two)).toBe(0);
    expect(least(one, two)).toBe(1);
    expect(most(one, two)).toBe(2);
  });

  it("refuses a sum above 2^53 - 1, also where a float would round it", () => {
    expect(sum([])).toBe(0);
    expect(sum([one, two, two])).toBe(5);
    fc.assert(
      fc.property(fc.array(anyAmount, { maxLength: 6 }), (amounts) => {
        const exact = amounts.reduce((total, amount) => total + BigInt(amount), 0n);
        if (exact <= BigInt(MAX)) expect(BigInt(sum(amounts))).toBe(exact);
        else expect(() => sum(amounts)).toThrow(RangeError);
      }),
    );
  });
});

describe("fromNeurons", () => {
  it.each<[number, number | null]>([
    [0, 0],
    [10_000, 10_000_000_000],
    [0.000001, 1],
    // 91.222 x 1,000,000 is 91222000.00000001 in floats
    [91.222, 91_222_000],
    [22.470231, 22_470_231],
    [1e9, 1e15],
    [999_999_999.999999, 999_999_999_999_999],
    // 0.30000000000000004 has more than six decimals
    [0.1 + 0.2, null],
    [0.0000001, null],
    [1.0000005, null],
    [-1, null],
    [-0.0000001, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    // 2^53 µN
    [9_007_199_254.740992, null],
    [1e300, null],
  ])("%s neurons are %s µN", (neurons, expected) => {
    expect(fromNeurons(neurons)).toBe(expected);
  });

  it("takes every amount of at most six decimals that settings allow", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), fc.nat(999_999), (whole, micro) => {
        const text = `${whole}.${String(micro).padStart(6, "0")}`;
        expect(fromNeurons(Number(text))).toBe(whole * 1_000_000 + micro);
      }),
    );
  });
});

describe("formatNeurons", () => {
  it.each([
    [0, "0"],
    [1, "0.000001"],
    [1_000_000, "1"],
    [22_470_231, "22.470231"],
    [4_118_756, "4.118756"],
    [10_000_000_000, "10000"],
    [17_193_410, "17.19341"],
    [MAX, "9007199254.740991"],
  ])("%s µN are %s", (amount, expected) => {
    expect(formatNeurons(microNeurons(amount))).toBe(expected);
  });

  it("is exact, without trailing zeros", () => {
    fc.assert(
      fc.property(anyAmount, (amount) => {
        const [whole = "", fraction = ""] = formatNeurons(amount).split(".");
        expect(BigInt(whole + fraction.padEnd(6, "0"))).toBe(BigInt(amount));
        expect(fraction.endsWith("0")).toBe(false);
      }),
    );
  });

  it("gives a number for reading", () => {
    expect(toNeurons(microNeurons(17_193_410))).toBe(17.19341);
  });
});
