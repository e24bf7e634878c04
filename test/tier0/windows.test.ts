import { describe, expect, it } from "vitest";
import { HEADS } from "../../src/tier0/heads.ts";
import { MOST_WINDOWS, windowsOf, worthReading } from "../../src/tier0/windows.ts";

const logits = (of: Partial<Record<number, number>>) =>
  Float64Array.from(HEADS, (_, head) => of[head] ?? 0);

describe("windows", () => {
  it("cover every token, and overlap", () => {
    expect(windowsOf(0)).toEqual([]);
    expect(windowsOf(64)).toEqual([{ from: 0, to: 64 }]);
    expect(windowsOf(65)).toEqual([
      { from: 0, to: 64 },
      { from: 48, to: 65 },
    ]);
    for (const tokens of [1, 64, 100, 112, 113, 1_000]) {
      const windows = windowsOf(tokens);
      expect(windows.at(-1)?.to).toBe(tokens);
      for (const [at, { from }] of windows.entries()) {
        if (at > 0) expect(from).toBeLessThan(windows[at - 1]?.to ?? 0);
      }
    }
  });

  it("are all read while they are few", () => {
    expect(worthReading(Array.from({ length: MOST_WINDOWS }, () => logits({})))).toHaveLength(16);
  });

  it("are chosen for each head: many of one kind do not hide one of another", () => {
    const quick = Array.from({ length: 400 }, (_, at) => logits({ 0: at < 300 ? 9 : 0 }));
    quick[350] = logits({ 5: 1 });
    const chosen = worthReading(quick);
    expect(chosen).toHaveLength(MOST_WINDOWS);
    expect(chosen).toContain(350);
  });
});
