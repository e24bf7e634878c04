import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import data from "../../../src/domain/catalogue/workers-ai-2026-09.json";
import {
  chargeUsd,
  CLOUDFLARE_USD_PER_1000,
  costUsd,
  differenceUsd,
  countedUsd,
  parseUsdRate,
  proportional,
  proportionalUsd,
  roundToCents,
  signedUsd,
} from "../../../src/domain/ledger/money.ts";

describe("costUsd", () => {
  // Neurons x 0.011 / 1,000: one µN is USD 0.000000000011.
  it.each<[number | bigint, string]>([
    // The contract's usage report: 85.4658 N, 12,226.332 N, 187.0051 N, 12,498.8029 N
    [85_465_800, "0.0009401238"],
    [12_226_332_000, "0.134489652"],
    [187_005_100, "0.0020570561"],
    [12_498_802_900, "0.1374868319"],
    [0, "0"],
    [0n, "0"],
    [1, "0.000000000011"],
    // 1,000 N
    [1_000_000_000, "0.011"],
    // 10^6 N are USD 11, without a point
    [1_000_000_000_000, "11"],
    // (2^53 - 1) x 11 / 10^12: 99,079,191,802,150,901 / 10^12
    [Number.MAX_SAFE_INTEGER, "99079.191802150901"],
    // 10^24 µN are 10^18 N: USD 11 x 10^12
    [10n ** 24n, "11000000000000"],
  ])("%s µN cost %s", (amount, expected) => {
    expect(costUsd(amount)).toBe(expected);
  });

  it("goes by the catalogue's rate", () => {
    expect(CLOUDFLARE_USD_PER_1000).toBe(data.usd_per_1000_neurons);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53, -1n])("refuses %s µN", (amount) => {
    expect(() => costUsd(amount)).toThrow(RangeError);
  });

  it("is exact: the string times 10^12 is the amount times 11", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (amount) => {
        const [whole = "", fraction = ""] = costUsd(amount).split(".");
        expect(fraction.length).toBeLessThanOrEqual(12);
        expect(fraction.endsWith("0")).toBe(false);
        expect(BigInt(whole + fraction.padEnd(12, "0"))).toBe(amount * 11n);
      }),
    );
  });
});

describe("chargeUsd", () => {
  it.each<[string, { microNeurons: number | bigint; usdPer1000: string }[], string]>([
    ["nothing", [], "0"],
    // The contract's usage report: 2,498.8029 N x 0.000011
    ["the overage", [{ microNeurons: 2_498_802_900, usdPer1000: "0.011" }], "0.0274868319"],
    ["a rate of 0", [{ microNeurons: 2_498_802_900, usdPer1000: "0" }], "0"],
    // 1,000 N at 0.011 and 500 N at 0.02: 0.011 + 0.01
    [
      "two rates",
      [
        { microNeurons: 1_000_000_000, usdPer1000: "0.011" },
        { microNeurons: 500_000_000n, usdPer1000: "0.02" },
      ],
      "0.021",
    ],
    // 1 µN at 10^-9 a thousand neurons
    [
      "the smallest there is",
      [{ microNeurons: 1, usdPer1000: "0.000000001" }],
      "0.000000000000000001",
    ],
  ])("sums %s", (_, parts, expected) => {
    expect(chargeUsd(parts)).toBe(expected);
  });

  it("takes any iterable, and does not depend on the order", () => {
    const part = fc.record({
      microNeurons: fc.bigInt({ min: 0n, max: 10n ** 20n }),
      usdPer1000: fc.constantFrom("0.011", "0.0000007", "3", "12.000000001"),
    });
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        expect(chargeUsd(new Set(parts))).toBe(chargeUsd(parts.toReversed()));
      }),
    );
  });

  it.each(["", "-1", "1e3", "0.0000000001"])("refuses the rate %j", (usdPer1000) => {
    expect(() => chargeUsd([{ microNeurons: 1, usdPer1000 }])).toThrow(RangeError);
  });
});

describe("parseUsdRate", () => {
  it.each<[string, bigint]>([
    ["0", 0n],
    ["0.011", 11_000_000n],
    ["0.0110", 11_000_000n],
    ["1", 1_000_000_000n],
    ["0.000000001", 1n],
    ["999999999.999999999", 999_999_999_999_999_999n],
  ])("%s", (text, nano) => {
    expect(parseUsdRate(text)).toBe(nano);
  });

  it.each([
    "",
    " 1",
    "1 ",
    "1\n",
    "-1",
    "+1",
    "-0",
    ".5",
    "1.",
    "01",
    "1e3",
    "1,5",
    "0x1",
    "NaN",
    "Infinity",
    "٣",
    "0.0000000001",
    "1000000000",
    "1.2.3",
  ])("refuses %j", (text) => {
    expect(parseUsdRate(text)).toBeNull();
  });
});

describe("roundToCents", () => {
  it.each([
    ["0", "0.00"],
    ["0.0274868319", "0.03"],
    ["0.004999999999999999", "0.00"],
    ["0.005", "0.01"],
    ["0.015", "0.02"],
    ["0.025", "0.03"],
    ["1.005", "1.01"],
    ["9.995", "10.00"],
    ["12.5", "12.50"],
    ["7", "7.00"],
    ["90071992547409.915", "90071992547409.92"],
  ])("%s is %s", (usd, cents) => {
    expect(roundToCents(usd)).toBe(cents);
  });

  it.each(["", "-1", "1e3", "abc", "1.", ".5", "0.0000000000000000001"])("refuses %j", (usd) => {
    expect(() => roundToCents(usd)).toThrow(RangeError);
  });

  it("is off by at most half a cent", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (amount) => {
        const cents = BigInt(roundToCents(costUsd(amount)).replace(".", ""));
        // In 10^-12 dollars; a cent is 10^10 of them.
        const error = cents * 10n ** 10n - amount * 11n;
        expect(error <= 5n * 10n ** 9n && error > -5n * 10n ** 9n).toBe(true);
      }),
    );
  });
});

describe("signedUsd", () => {
  it.each<[bigint, string, string]>([
    [-1_000_000_000n, "0.011", "-0.011"],
    [-1n, "0.000000001", "-0.000000000000000001"],
    [2_498_802_900n, "0.011", "0.0274868319"],
    [0n, "0.011", "0"],
    [-5n, "0", "0"],
  ])("%s µN at %s are %s", (amount, rate, expected) => {
    expect(signedUsd(amount, rate)).toBe(expected);
  });

  it("refuses what is no rate", () => {
    expect(() => signedUsd(1n, "-0.011")).toThrow(RangeError);
  });
});

describe("proportionalUsd", () => {
  it.each<[string, bigint, bigint, string]>([
    ["0.5", 3n, 2n, "0.75"],
    ["1", 1n, 3n, "0.333333333333333333"],
    ["2", 1n, 3n, "0.666666666666666667"],
    ["0", 30n, 1n, "0"],
    // 25 of 30 days at 12.5: 15
    ["12.5", 30n, 25n, "15"],
  ])("%s x %s / %s is %s", (usd, numerator, denominator, expected) => {
    expect(proportionalUsd(usd, numerator, denominator)).toBe(expected);
  });

  it("refuses what is no amount", () => {
    expect(() => proportionalUsd("-1", 1n, 1n)).toThrow(RangeError);
  });

  it("is at most half a unit off", () => {
    const whole = fc.bigInt({ min: 0n, max: 10n ** 24n });
    const part = fc.bigInt({ min: 1n, max: 10n ** 12n });
    fc.assert(
      fc.property(whole, part, part, (amount, numerator, denominator) => {
        const error =
          proportional(amount, numerator, denominator) * denominator - amount * numerator;
        expect(2n * error <= denominator && 2n * error > -denominator - 1n).toBe(true);
      }),
    );
  });
});

describe("countedUsd", () => {
  it.each<[string, { count: bigint; usd: string; per: number }[], string]>([
    ["nothing", [], "0"],
    ["requests", [{ count: 2_500_000n, usd: "0.30", per: 1e6 }], "0.75"],
    ["one row read", [{ count: 1n, usd: "0.001", per: 1e6 }], "0.000000001"],
    ["one byte for a month", [{ count: 1n, usd: "0.20", per: 1e9 }], "0.0000000002"],
    [
      "two resources",
      [
        { count: 3n, usd: "1", per: 1e6 },
        { count: 1_000_000n, usd: "4.50", per: 1e6 },
      ],
      "4.500003",
    ],
  ])("sums %s", (_, parts, expected) => {
    expect(countedUsd(parts)).toBe(expected);
  });

  it.each([3, 1e10])("refuses a price per %s", (per) => {
    expect(() => countedUsd([{ count: 1n, usd: "1", per }])).toThrow(RangeError);
  });
});

describe("differenceUsd", () => {
  it("is exact, and negative where more is taken", () => {
    expect(differenceUsd("0.1374868319", "0.11")).toBe("0.0274868319");
    expect(differenceUsd("0.01", "0.025")).toBe("-0.015");
    expect(differenceUsd("1", "1")).toBe("0");
    expect(differenceUsd("-0.5", "-0.000000000000000001")).toBe("-0.499999999999999999");
  });

  it("takes exact amounts only", () => {
    for (const wrong of ["", "-", "1e3", "--1", "0.0000000000000000001"]) {
      expect(() => differenceUsd(wrong, "1")).toThrow(RangeError);
      expect(() => differenceUsd("1", wrong)).toThrow(RangeError);
    }
  });
});
