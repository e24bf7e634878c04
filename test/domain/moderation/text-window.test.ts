import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgedJson } from "../../../src/domain/moderation/judge.ts";
import {
  JUDGE_WINDOWS,
  MOST_PIECES,
  piecesOf,
  SENTIMENT_WINDOWS,
  splitText,
  type WindowedText,
  type Windowing,
} from "../../../src/domain/moderation/text-window.ts";
import { tokensAtMost } from "../../../src/domain/generation/token-bound.ts";
import { cpuMsOf } from "../cpu-ms.ts";

const asJson = (text: string): number => tokensAtMost(judgedJson(text));
const SMALL: Windowing = { tokens: 60, overlap: 12, windows: 1000 };

/** Where each window stands: as early as its text does after the one before began. */
function placesOf(text: string, { windows }: WindowedText): { start: number; end: number }[] {
  let start = -1;
  return windows.map((window) => {
    start = text.indexOf(window.text, start + 1);
    return { start, end: start + window.text.length };
  });
}

describe("splitText", () => {
  it("leaves a text that fits whole", () => {
    const text = "a".repeat(510);
    expect(splitText(text, SENTIMENT_WINDOWS)).toEqual({
      windows: [{ text, tokens: 510 }],
      complete: true,
    });
    expect(splitText("", SENTIMENT_WINDOWS)).toEqual({
      windows: [{ text: "", tokens: 0 }],
      complete: true,
    });
    expect(splitText(`${text}b`, SENTIMENT_WINDOWS).windows).toHaveLength(2);
  });

  it("ends a window on a word's end, and begins the next within the overlap on a word's start", () => {
    const text = "alpha beta gamma delta epsilon";
    const { windows, complete } = splitText(text, { tokens: 18, overlap: 8, windows: 10 });
    expect(windows.map((window) => window.text)).toEqual([
      "alpha beta gamma",
      "gamma delta",
      "delta epsilon",
    ]);
    expect(complete).toBe(true);
  });

  it("says that it is not complete where the windows do not reach the end", () => {
    const text = "word ".repeat(2000);
    const split = splitText(text, SENTIMENT_WINDOWS);
    expect(split.windows).toHaveLength(8);
    expect(split.complete).toBe(false);
    expect(splitText("x".repeat(510 * 8 - 40 * 7), SENTIMENT_WINDOWS).complete).toBe(true);
    expect(splitText("x".repeat(510 * 8 - 40 * 7 + 1), SENTIMENT_WINDOWS).complete).toBe(false);
  });

  it("reads a whole body of 100 KB, also when each character is escaped", () => {
    for (const text of ["a".repeat(100_000), '"'.repeat(100_000), "語".repeat(33_000)]) {
      expect(splitText(text, JUDGE_WINDOWS, asJson).complete).toBe(true);
    }
  });

  it("overlaps by tokens, not by characters", () => {
    // Three bytes each: 170 characters a window, 13 of which are read again.
    const text = Array.from({ length: 400 }, (_, at) => String.fromCharCode(0x4e00 + at)).join("");
    const places = placesOf(text, splitText(text, SENTIMENT_WINDOWS));
    expect(places).toEqual([
      { start: 0, end: 170 },
      { start: 157, end: 327 },
      { start: 314, end: 400 },
    ]);
  });
});

/**
 * The latest place of `window` in `text` that splits no pair and begins after one place and not after
 * another; -1 when there is none.
 */
function startBetween(
  text: string,
  window: string,
  { after, until }: { after: number; until: number },
): number {
  let start = text.lastIndexOf(window, until);
  while (start > after && (splitsPair(text, start) || splitsPair(text, start + window.length))) {
    start = start === 0 ? -1 : text.lastIndexOf(window, start - 1);
  }
  return start > after ? start : -1;
}

const splitsPair = (text: string, at: number): boolean =>
  /[\ud800-\udbff]$/.test(text.slice(0, at)) && /^[\udc00-\udfff]/.test(text.slice(at));

describe("pairs", () => {
  it("are not split where a lone half follows them", () => {
    const text = `${"\ufdfa".repeat(8)}\ufbea${"\u{10000}".repeat(4)}\ude00`;
    const { windows } = splitText(text, SMALL, asJson);
    expect(
      windows.map((window) => window.text).filter((one) => /^[\udc00-\udfff]./u.test(one)),
    ).toEqual([]);
    for (const { text: one } of windows) expect(one).not.toMatch(/[\ud800-\udbff]$/u);
  });
});

describe("for any text", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ maxLength: 30 }),
    fc.constantFrom(
      " ",
      "  ",
      "\n",
      '"',
      "\ufdfa",
      "\ufdfa\ufdfa",
      "😀",
      "👨‍👩‍👧",
      "\ud83d",
      "\ude00",
      "é",
      "e\u0301",
    ),
    fc.constantFrom("word ", "語語語", "x".repeat(70), "😀".repeat(20), "\ufdfa".repeat(8)),
  );
  const anyText = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));

  it.each([
    ["by bytes", tokensAtMost],
    ["as JSON", asJson],
  ])("windows cover it, each within the limit, %s", (_, measure) => {
    fc.assert(
      fc.property(anyText, (text) => {
        const split = splitText(text, SMALL, measure);
        expect(split.complete).toBe(true);
        let read = 0;
        let last = -1;
        for (const window of split.windows) {
          expect(window.tokens).toBe(measure(window.text));
          expect(window.tokens).toBeLessThanOrEqual(SMALL.tokens);
          // It begins within or right behind what was read, beyond where the last one began, and
          // splits no pair.
          const start = startBetween(text, window.text, { after: last, until: read });
          expect(start).toBeGreaterThan(last);
          last = start;
          read = Math.max(read, start + window.text.length);
        }
        expect(read).toBe(text.length);
      }),
      { numRuns: 300 },
    );
  });

  it("stops at the last window", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 4 }), (text, windows) => {
        const split = splitText(text, { ...SMALL, windows });
        expect(split.windows.length).toBeLessThanOrEqual(windows);
        expect(split.complete).toBe(splitText(text, SMALL).windows.length <= windows);
      }),
    );
  });
});

describe("hostile text", () => {
  const K = 100_000;
  it.each([
    ["no spaces", "a".repeat(K)],
    ["what grows: U+FDFA", "\ufdfa".repeat(K / 3)],
    ["lone surrogates", "\ud800".repeat(K / 3)],
    ["low ones", "\udc00".repeat(K / 3)],
    ["pairs", "😀".repeat(K / 4)],
    ["marks", `a${"\u0301".repeat(K / 4)}${"\u0316".repeat(K / 4)}`],
    ["spaces only", " ".repeat(K)],
    ["a space, then none", ` ${"b".repeat(K)}`],
  ])("ends soon: %s", async (_, text) => {
    const cpuMs = await cpuMsOf(() => {
      for (const split of [
        splitText(text, SENTIMENT_WINDOWS),
        splitText(text, JUDGE_WINDOWS, asJson),
      ]) {
        expect(split.windows.length).toBeGreaterThan(1);
        expect(split.windows.every((window) => window.text !== "")).toBe(true);
      }
    });
    expect(cpuMs).toBeLessThan(2000);
  });

  it.each(["One is. Two is. ", "\ufdfa", "\u0301", "\ud800", '"', "中"])(
    "is measured a few times a window, and not by halving: %j",
    (part) => {
      let measures = 0;
      const counted = (text: string): number => {
        measures += 1;
        return tokensAtMost(judgedJson(text));
      };
      const split = splitText(part.repeat(100_000 / part.length), JUDGE_WINDOWS, counted);
      // The window, where its neighbour begins (8 halvings of 200), and a few looks for its end.
      expect(measures).toBeLessThanOrEqual(1 + split.windows.length * 15);
    },
  );
});

describe("the sentences of a text", () => {
  it.each([
    ["One sentence.", []],
    ["One sentence. Another one! A third?", ["One sentence.", "Another one!", "A third?"]],
    ["a line of words\nanother line", ["a line of words", "another line"]],
    ["<p class='x'>tagged words</p>", ["tagged words"]],
    ['{"role":"user","content":"some words"}', ["role", "user", "content", "some words"]],
    ['const text = "some words";', ["const text", "some words"]],
    ["some_words_in_one", ["some words in one"]],
    ["some 🌸 words", ["some words"]],
    ["Again. Again. Again. And last.", ["Again.", "And last."]],
    ["", []],
  ])("%j", (text, pieces) => {
    expect(piecesOf(text)).toEqual(pieces);
  });

  it("are a bounded number, the first and the last of them", () => {
    const many = Array.from({ length: 500 }, (_, at) => `Sentence ${at}.`);
    const pieces = piecesOf(many.join(" "));
    expect(pieces).toHaveLength(MOST_PIECES);
    expect([pieces[0], pieces.at(-1)]).toEqual(["Sentence 0.", "Sentence 499."]);
  });

  it("leave what a person quotes and answers in one piece", () => {
    expect(piecesOf('He said "you idiot" to her, and that is not right')).toEqual([]);
  });
});
