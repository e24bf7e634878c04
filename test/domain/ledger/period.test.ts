import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dayOf,
  endOf,
  formatDay,
  isoTime,
  parseDay,
  startOf,
} from "../../../src/domain/ledger/period.ts";

// 2026-11-20 is 20,777 days after 1970-01-01.
const DAY = 20_777;
const START = Date.UTC(2026, 10, 20);

describe("a day", () => {
  it.each([
    ["its first millisecond", START, DAY],
    ["its last", START + 86_399_999, DAY],
    ["the next one's first", START + 86_400_000, DAY + 1],
    ["the one before", START - 1, DAY - 1],
    ["the epoch", 0, 0],
    ["before the epoch", -1, -1],
  ])("%s", (_, utcMs, day) => {
    expect(dayOf(utcMs)).toBe(day);
  });

  it("begins at 00:00 UTC and ends where the next begins", () => {
    expect(isoTime(startOf(DAY))).toBe("2026-11-20T00:00:00.000Z");
    expect(isoTime(endOf(DAY))).toBe("2026-11-21T00:00:00.000Z");
    fc.assert(
      fc.property(fc.nat(4_102_444_800_000), (utcMs) => {
        const day = dayOf(utcMs);
        expect(startOf(day)).toBeLessThanOrEqual(utcMs);
        expect(endOf(day)).toBeGreaterThan(utcMs);
        expect(endOf(day)).toBe(startOf(day + 1));
      }),
    );
  });
});

describe("parseDay", () => {
  it.each<[string, number | null]>([
    ["2026-11-20", DAY],
    ["1970-01-01", 0],
    ["2024-02-29", 19_782],
    ["2026-02-29", null],
    ["2026-02-30", null],
    ["2026-04-31", null],
    ["2026-13-01", null],
    ["2026-00-10", null],
    ["2026-01-00", null],
    ["2026-1-1", null],
    ["2026-11-20T00:00:00Z", null],
    [" 2026-11-20", null],
    ["2026-11-20\n", null],
    ["+02026-11-20", null],
    ["", null],
    ["٢٠٢٦-١١-٢٠", null],
  ])("%j is %s", (text, day) => {
    expect(parseDay(text)).toBe(day);
  });

  it("is the inverse of formatDay", () => {
    expect(formatDay(DAY)).toBe("2026-11-20");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_932_896 }), (day) => {
        expect(parseDay(formatDay(day))).toBe(day);
      }),
    );
  });
});
