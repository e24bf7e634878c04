import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { normalBytesAtMost } from "../../../src/domain/text/normal-bytes.ts";

const utf8 = (text: string): number => new TextEncoder().encode(text).length;
const exact = (text: string): number => utf8(text.normalize("NFKC"));

/** All that are assigned; of the characters for private use and of Chinese, which stay as they are, a few. */
const MANY_ALIKE = /[\p{Cn}\p{Co}\p{Unified_Ideograph}]/u;
const CHARACTERS = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter(
  (character, code) => code % 997 === 0 || !MANY_ALIKE.test(character),
);

const mark = fc.constantFrom("\u0301", "\u0316", "\u0345", "\u0344", "\u0f71", "\u3099", "\uff9e");
const grows = fc.constantFrom("\ufdfa", "\u0958", "\u{1d160}", "ﬃ", "㌀", "½", "\u{1f240}");
const hangul = fc.constantFrom("각", "\u1100", "\u1161", "\u11a8", "ㄱ", "ㅏ", "\uffa1", "\uffc2");
const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const anyText = fc
  .array(fc.oneof(fc.string({ unit: "binary" }), anyUnit, mark, grows, hangul, fc.constant("e")), {
    maxLength: 60,
  })
  .map((parts) => parts.join(""));

const LONG_RUN = /[\p{M}\uff9e\uff9f]{31}/u;

const wrongBehind = (before: string): string[] =>
  CHARACTERS.filter(
    (character) => normalBytesAtMost(before + character) !== exact(before + character),
  );

describe("normalBytesAtMost", () => {
  it("is the length of each character's own form, for all of Unicode", () => {
    expect(CHARACTERS.length).toBeGreaterThan(50_000);
    expect(wrongBehind("")).toEqual([]);
  });

  // What a sum of characters rests on: it may err only where a character is one that joins.
  it("is exact of any character behind a letter, a mark and a part of Hangul", () => {
    for (const before of ["e", "e\u0323", "\u1100", "ㄱ", "\uac00"]) {
      expect(wrongBehind(before), before).toEqual([]);
    }
  });

  it("is exact of any text with at most 30 marks on a letter", () => {
    fc.assert(
      fc.property(
        anyText.filter((text) => !LONG_RUN.test(text)),
        (text) => {
          expect(normalBytesAtMost(text)).toBe(exact(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is exact over the edges of pieces", () => {
    const units = [
      "e\u0301\u0323",
      "\u1e0b\u0323",
      "\u{1d157}\u{1d165}",
      "\uff76\uff9e",
      "ㅋㅏ",
      "😀",
    ];
    for (const unit of [...units, "\u1100\u1161\u11a8", "e\u0301\u1100\ufdfa"]) {
      for (const shift of [0, 1, 2, 3]) {
        const text = "x".repeat(shift) + unit.repeat(4000);
        expect(normalBytesAtMost(text), unit).toBe(exact(text));
      }
    }
  });

  it("is never less with more marks on a letter, and three times as much at most", () => {
    const run = fc.array(mark, { minLength: 31, maxLength: 90 }).map((marks) => marks.join(""));
    const parts = fc.array(fc.oneof(anyText, run), { maxLength: 6 });
    fc.assert(
      fc.property(parts, (texts) => {
        const text = texts.join("");
        const alone = Array.from(text).reduce((sum, character) => sum + exact(character), 0);
        expect(normalBytesAtMost(text)).toBeGreaterThanOrEqual(exact(text));
        expect(normalBytesAtMost(text)).toBeLessThanOrEqual(3 * alone);
      }),
    );
  });

  it("rests on this: a character taken apart is at most three times as long as its form", () => {
    const grown = CHARACTERS.map(
      (character) => utf8(character.normalize("NFKD")) / exact(character),
    );
    expect(grown.reduce((most, one) => Math.max(most, one))).toBe(3);
  });

  it.each([
    ["a letter that becomes eighteen", "\ufdfa", 0],
    ["letters that join with nothing", "\u0430中é", 0],
    ["marks that are sorted", "\u0315\u0300", 0],
    ["a letter with its mark", "e\u0301", 1],
  ])("normalises a text once at most: %s", (_, unit, times) => {
    const text = unit.repeat(100_000);
    normalBytesAtMost(text); // each character is known
    const normalize = vi.spyOn(String.prototype, "normalize");
    try {
      normalBytesAtMost(text);
      const pieces = normalize.mock.contexts.map(String);
      const read = pieces.reduce((sum, piece) => sum + piece.length, 0);
      expect(read).toBe(times * text.length);
    } finally {
      normalize.mockRestore();
    }
  });
});
