import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, fitsAtMs, standing, type Windows } from "../../../src/domain/ledger/rate-limit.ts";

const START = Date.UTC(2026, 10, 20, 14, 3);
const NAME = "text_generation";

const used = (windows: Windows, name = NAME): number =>
  (windows[name] ?? []).reduce((total, [, units]) => total + units, 0);

/** Admits what fits at each of `times` and returns what was admitted. */
function admitted(
  limit: number,
  arrivals: readonly { readonly atMs: number; readonly units: number }[],
) {
  const taken: { atMs: number; units: number }[] = [];
  let windows: Windows = {};
  for (const { atMs, units } of arrivals) {
    if (fitsAtMs(windows, { name: NAME, limit, units }, atMs) > atMs) continue;
    windows = count(windows, { [NAME]: units }, atMs);
    taken.push({ atMs, units });
    expect(windows[NAME]?.length ?? 0).toBeLessThanOrEqual(61);
  }
  return { taken, windows };
}

/** The most units in any 60,000 ms window: the fullest one begins at an admission. */
function fullest(taken: readonly { readonly atMs: number; readonly units: number }[]): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const { atMs, units } of taken) {
    sum += units;
    for (
      let old = taken[first];
      old !== undefined && old.atMs <= atMs - 60_000;
      old = taken[first]
    ) {
      sum -= old.units;
      first += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
}

const arrivals = fc
  .array(
    fc.record({
      // Bursts within a second, steps about a minute, anything else.
      stepMs: fc.oneof(
        fc.constantFrom(0, 1, 999, 1000, 1001, 58_999, 59_000, 59_999, 60_000, 60_001, 61_000),
        fc.nat(3000),
        fc.nat(100_000),
      ),
      units: fc.integer({ min: 1, max: 4 }),
    }),
    { maxLength: 200, size: "max" },
  )
  .chain((steps) =>
    fc.nat(999).map((offset) => {
      let atMs = START + offset;
      return steps.map(({ stepMs, units }) => ({ atMs: (atMs += stepMs), units }));
    }),
  );

describe("the limit", () => {
  it("holds in every 60,000 ms window, for random admissions", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), arrivals, (limit, calls) => {
        expect(fullest(admitted(limit, calls).taken)).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 300 },
    );
  });

  it.each([1, 3, 300])("admits at least 98 %% of %s under saturating load", (limit) => {
    // As many calls as fit, again each 100 ms for an hour.
    let windows: Windows = {};
    let total = 0;
    for (let atMs = START + 123; atMs < START + 3_600_000; atMs += 100) {
      const { remaining } = standing(windows, { name: NAME, limit }, atMs);
      if (remaining === 0) continue;
      windows = count(windows, { [NAME]: remaining }, atMs);
      total += remaining;
    }
    expect(total).toBeGreaterThanOrEqual(limit * 60 * 0.98);
    expect(total).toBeLessThanOrEqual(limit * 60);
  });

  it("keeps at most 61 buckets, however long the load lasts", () => {
    const calls = Array.from({ length: 1000 }, (_, at) => ({ atMs: START + at * 500, units: 1 }));
    const { windows } = admitted(1_000_000, calls);
    expect(windows[NAME]).toHaveLength(61);
  });
});

describe("fitsAtMs", () => {
  it("is exact: a millisecond before it is refused, at it admitted", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 12 }),
        arrivals,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(70_000),
        (limit, calls, units, later) => {
          const { windows, taken } = admitted(limit, calls);
          const nowMs = (taken.at(-1)?.atMs ?? START) + later;
          const rate = { name: NAME, limit, units };
          const fits = fitsAtMs(windows, rate, nowMs);
          expect(fits).toBeGreaterThanOrEqual(nowMs);
          expect(fits).toBeLessThanOrEqual(nowMs + 61_000);
          expect(fitsAtMs(windows, rate, fits)).toBe(fits);
          if (fits > nowMs) expect(fitsAtMs(windows, rate, fits - 1)).toBe(fits);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("waits for as many of the oldest buckets as the units need", () => {
    let windows: Windows = {};
    // 2 units in second 0, 1 in second 5, 2 in second 9: a limit of 5 is reached.
    windows = count(windows, { [NAME]: 2 }, START + 250);
    windows = count(windows, { [NAME]: 1 }, START + 5999);
    windows = count(windows, { [NAME]: 2 }, START + 9000);
    const at = (units: number, limit = 5): number =>
      fitsAtMs(windows, { name: NAME, limit, units }, START + 10_000) - START;
    expect([at(1), at(2), at(3), at(4), at(5)]).toEqual([61_000, 61_000, 66_000, 70_000, 70_000]);
    // Raised by one, there is room now; lowered to 2, the first two buckets must leave.
    expect(at(1, 6)).toBe(10_000);
    expect(at(1, 2)).toBe(70_000);
    expect(at(1, 4)).toBe(61_000);
  });
});

describe("standing", () => {
  it("tells what is left and when the oldest unit leaves", () => {
    const windows = count({}, { [NAME]: 3 }, START + 10);
    const rate = { name: NAME, limit: 5 };
    expect(standing({}, rate, START)).toEqual({ ...rate, remaining: 5, freesAtMs: null });
    expect(standing(windows, rate, START + 60_999)).toEqual({
      ...rate,
      remaining: 2,
      freesAtMs: START + 61_000,
    });
    expect(standing(windows, rate, START + 61_000)).toEqual({
      ...rate,
      remaining: 5,
      freesAtMs: null,
    });
    // Lowered below what was admitted: nothing is left, never less.
    expect(standing(windows, { name: NAME, limit: 2 }, START + 10).remaining).toBe(0);
  });
});

describe("count", () => {
  it("counts all classes of a call, and leaves the given windows as they were", () => {
    const before = count({}, { requests: 1, text_generation: 1 }, START);
    const after = count(
      before,
      { requests: 1, text_generation: 2, image_classification: 4 },
      START,
    );
    expect([used(after, "requests"), used(after), used(after, "image_classification")]).toEqual([
      2, 3, 4,
    ]);
    expect([used(before, "requests"), used(before)]).toEqual([1, 1]);
  });

  it("writes no empty buckets and drops classes that have counted nothing for a minute", () => {
    const windows = count({}, { requests: 1, text_generation: 0 }, START);
    expect(Object.keys(windows)).toEqual(["requests"]);
    expect(count(windows, { translation: 1 }, START + 61_000)).toEqual({
      translation: [[(START + 61_000) / 1000, 1]],
    });
  });
});
