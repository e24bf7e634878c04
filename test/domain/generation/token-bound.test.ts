import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { CATALOGUE, type Model, priceOf } from "../../../src/domain/catalogue/catalogue.ts";
import {
  chatInputBound,
  classifierInputBound,
  estimateInputTokens,
  takesPictures,
  tokensAtMost,
  normalBytesAtMost,
} from "../../../src/domain/generation/token-bound.ts";

function model(id: string): Model {
  const found = CATALOGUE.get(id);
  if (found === undefined) throw new Error(`${id} is not in the catalogue`);
  return found;
}

const DISTILBERT = model("@cf/huggingface/distilbert-sst-2-int8");
const LLAMA = model("@cf/meta/llama-3.1-8b-instruct-fp8");
const GEMMA = model("@cf/google/gemma-4-26b-a4b-it");

const utf8 = (text: string): number => new TextEncoder().encode(text).length;

/** Any UTF-16, lone surrogates included, with more of what makes normal forms grow. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom("\ufdfa", "\u0958", "\u{1d160}", "ﬃ", "각", "e\u0301", "㌀", "\ud800"),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(""));

describe("tokensAtMost", () => {
  it.each<[string, string, number]>([
    ["nothing", "", 0],
    ["ASCII", "Buy now, you useless idiot - limited offer!", 43],
    ["two bytes a letter", "é", 2],
    ["three", "語", 3],
    ["a surrogate pair, 4 bytes", "😀", 4],
    // U+FFFD is EF BF BD
    ["a lone high surrogate as U+FFFD", "\ud83d", 3],
    ["a lone low surrogate as U+FFFD", "\ude00", 3],
    ["high, high, low: 3 + 4", "\ud83d\ud83d\ude00", 7],
    ["a high surrogate before a letter: 3 + 1", "\ud83da", 4],
    // 18 characters: 15 Arabic letters of 2 bytes and 3 spaces
    ["U+FDFA, which NFKC makes longer", "\ufdfa", 33],
    // NFKC makes it "A", 1 byte: the text itself is the longer one
    ["a full-width letter, which NFKC makes shorter", "\uff21", 3],
    // U+1D160 is excluded from composition: three characters of 4 bytes
    ["a musical symbol", "\u{1d160}", 12],
  ])("%s", (_, text, expected) => {
    expect(tokensAtMost(text)).toBe(expected);
  });

  it("is the longer of both UTF-8 forms, for any UTF-16", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokensAtMost(text)).toBe(Math.max(utf8(text), utf8(text.normalize("NFKC"))));
      }),
    );
  });

  // The finest tokens that each family of vocabularies falls back to.
  it.each<[string, (text: string) => number]>([
    ["byte-level BPE (Llama 3, Qwen): single bytes", utf8],
    [
      "SentencePiece with byte fallback (Gemma, Mistral): NFKC, then bytes, but a space is one token",
      (text) => utf8(text.normalize("NFKC")),
    ],
    [
      "WordPiece, uncased (distilbert): lower case, accents stripped, single characters",
      (text) =>
        Array.from(
          text
            .toLowerCase()
            .normalize("NFD")
            .replace(/\p{Mn}/gu, ""),
        ).length,
    ],
    [
      "words and marks, as regular expressions split before BPE",
      (text) => text.match(/\p{L}+|\p{N}{1,3}|\s+|[^\p{L}\p{N}\s]/gu)?.length ?? 0,
    ],
  ])("bounds %s", (_, tokenize) => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokensAtMost(text)).toBeGreaterThanOrEqual(tokenize(text));
      }),
    );
  });

  it("is not fooled by the length in UTF-16", () => {
    expect(tokensAtMost("\ufdfa".repeat(1000))).toBe(33_000);
  });
});

describe("chatInputBound", () => {
  it("adds the template, the messages and the text", () => {
    // 100 + 40 + 2 x 8
    expect(chatInputBound(LLAMA, { textTokens: 100, messages: 2, images: 0 })).toBe(156);
  });

  it("adds pictures at the model's own bound", () => {
    // 100 + 64 + 1 x 16 + 3 x 1,122
    expect(chatInputBound(GEMMA, { textTokens: 100, messages: 1, images: 3 })).toBe(3546);
  });

  it("adds the tools' preamble once, and each tool like a message", () => {
    // 100 + 40 + (1 + 3) x 8 + 512
    const measure = { textTokens: 100, messages: 1, images: 0, tools: 3 };
    expect(chatInputBound(LLAMA, measure)).toBe(684);
    expect(chatInputBound(LLAMA, { ...measure, tools: 0 })).toBe(148);
  });

  it("is never more than the context window, where there is one", () => {
    const measure = { textTokens: 1_000_000, messages: 1, images: 0 };
    expect(chatInputBound(LLAMA, measure)).toBe(32_000);
    // 1,000,000 + 128 + 16: no context is published
    expect(chatInputBound(model("@cf/moonshotai/kimi-k2.6"), measure)).toBe(1_000_144);
  });

  it("refuses pictures without a bound", () => {
    const measure = { textTokens: 1, messages: 1, images: 1 };
    expect(takesPictures(LLAMA)).toBe(false);
    expect(() => chatInputBound(LLAMA, measure)).toThrow(RangeError);
    expect(takesPictures(GEMMA)).toBe(true);
    expect(chatInputBound(GEMMA, measure)).toBe(1 + 64 + 16 + 1122);
  });

  it("grows with each part and stays within the window", () => {
    const count = fc.integer({ min: 0, max: 100_000 });
    const few = fc.integer({ min: 0, max: 50 });
    const grown = fc.constantFrom("textTokens", "messages", "images", "tools");
    fc.assert(
      fc.property(
        count,
        few,
        few,
        few,
        grown,
        few,
        (textTokens, messages, images, tools, part, by) => {
          const measure = { textTokens, messages, images, tools };
          const bound = chatInputBound(GEMMA, measure);
          const more = chatInputBound(GEMMA, { ...measure, [part]: measure[part] + by });
          expect(more).toBeGreaterThanOrEqual(bound);
          expect(more).toBeLessThanOrEqual(256_000);
          expect(bound).toBeGreaterThanOrEqual(Math.min(textTokens, 256_000));
        },
      ),
    );
  });
});

describe("classifierInputBound", () => {
  it.each([
    [0, 2],
    [43, 45],
    [509, 511],
    [510, 512],
    [511, 512],
    [100_000, 512],
  ])("of %i tokens distilbert reads at most %i", (tokens, bound) => {
    expect(classifierInputBound(DISTILBERT, tokens)).toBe(bound);
  });

  it("adds a pair's special tokens elsewhere, without a limit that nobody states", () => {
    expect(classifierInputBound(model("@cf/baai/bge-m3"), 10_000)).toBe(10_004);
  });
});

describe("estimateInputTokens", () => {
  it("is the contract's example: 43 bytes, 45 at most, 23 estimated, 55,062 µN", () => {
    const text = "Buy now, you useless idiot - limited offer!";
    const tokens = estimateInputTokens(classifierInputBound(DISTILBERT, tokensAtMost(text)));
    expect(tokens).toBe(23);
    expect(priceOf(DISTILBERT, { input_token: tokens })).toBe(55_062);
  });

  it.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
  ])("half of %i, up, is %i", (bound, estimate) => {
    expect(estimateInputTokens(bound)).toBe(estimate);
  });

  it("is never above the bound, nor below half of it", () => {
    fc.assert(
      fc.property(fc.nat(), (bound) => {
        const estimate = estimateInputTokens(bound);
        expect(estimate <= bound && estimate * 2 >= bound && Number.isInteger(estimate)).toBe(true);
      }),
    );
  });
});

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
const markedText = fc
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
        markedText.filter((text) => !LONG_RUN.test(text)),
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
    const parts = fc.array(fc.oneof(markedText, run), { maxLength: 6 });
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
