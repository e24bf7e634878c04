import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  gatherWindows,
  OUTPUT_WINDOW_TOKENS,
  type OutputWindow,
} from "../../../src/domain/moderation/guard.ts";
import { cleanForJudge, judgedJson } from "../../../src/domain/moderation/judge.ts";
import { tokensAtMost } from "../../../src/domain/generation/token-bound.ts";

const judged = (text: string): number => tokensAtMost(judgedJson(cleanForJudge(text)));

function gathered(pieces: readonly string[]): OutputWindow[] {
  const gatherer = gatherWindows();
  const windows = pieces.flatMap((piece) => [...gatherer.push(piece)]);
  const last = gatherer.end();
  return last === null ? windows : [...windows, last];
}

const PROSE = "It was a bright cold day in April, and the clocks were striking thirteen. ";

describe("windows of a streamed text", () => {
  it("hold back a short text to its end", () => {
    const gatherer = gatherWindows();
    expect(gatherer.push("Hello ")).toEqual([]);
    expect(gatherer.push("there.")).toEqual([]);
    expect(gatherer.end()).toEqual({ index: 0, text: "Hello there.", fresh: "Hello there." });
    expect(gatherer.end()).toBeNull();
  });

  it("are none for no text", () => {
    expect(gathered([])).toEqual([]);
    expect(gathered(["", ""])).toEqual([]);
  });

  it("are full before the text ends, and begin with the end of the one before", () => {
    const windows = gathered(Array.from({ length: 100 }, () => PROSE));
    expect(windows.length).toBeGreaterThan(3);
    for (const [at, { index, text }] of windows.entries()) {
      expect(index).toBe(at);
      const before = windows[at - 1];
      if (before !== undefined) expect(text.startsWith(before.text.slice(-64))).toBe(true);
    }
    expect(windows[0]?.text.length).toBeGreaterThan(OUTPUT_WINDOW_TOKENS * 0.8);
  });

  it("lose nothing, repeat nothing, and each fits what was held for it", () => {
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
      { weight: 1, arbitrary: fc.constantFrom("\uFDFA".repeat(150), '"\\\n'.repeat(300)) },
      { weight: 1, arbitrary: fc.constantFrom("x".repeat(5000), "\u200B".repeat(4000)) },
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const windows = gathered(pieces);
        expect(windows.map(({ fresh }) => fresh).join("")).toBe(pieces.join(""));
        for (const { text, fresh } of windows) {
          expect(text.endsWith(fresh)).toBe(true);
          expect(fresh).not.toBe("");
          expect(judged(text)).toBeLessThanOrEqual(OUTPUT_WINDOW_TOKENS);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keep a phrase whole that a seam would cut, however it arrives", () => {
    const text = PROSE.repeat(60);
    for (const size of [1, 7, 1000]) {
      const pieces = text.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];
      const windows = gathered(pieces);
      for (let at = 0; at + 40 < text.length; at += 97) {
        const phrase = text.slice(at, at + 40);
        expect(windows.some((window) => window.text.includes(phrase))).toBe(true);
      }
    }
  });
});
