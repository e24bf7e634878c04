import { describe, expect, it } from "vitest";
import { MOST_WATCHERS, Watchers } from "../../durable-objects/watchers.ts";

describe("watchers", () => {
  it("are so many and no more, until one has gone", () => {
    const watchers = new Watchers();
    for (let n = 0; n < MOST_WATCHERS; n += 1) expect(watchers.admit(`w${n}`, 0)).toBe(true);
    expect(watchers.admit("late", 0)).toBe(false);
    expect(watchers.admit("w3", 9000)).toBe(true);
    expect(watchers.admit("late", 9999)).toBe(false);
    // All but w3 have been silent for ten seconds.
    expect(watchers.admit("late", 10_000)).toBe(true);
    expect(watchers.admit("w3", 10_000)).toBe(true);
  });
});
