import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalise, placeOf } from "../../../src/domain/text/normalise.ts";

const read = (text: string): string => normalise(text).text;

describe("the normal form", () => {
  it.each([
    ["plain", "Hello World", "hello world"],
    ["full width", "Ｈｅｌｌｏ", "hello"],
    ["mathematical letters", "𝖍𝖊𝖑𝖑𝖔", "hello"],
    ["ligatures", "ﬁne", "fine"],
    ["circled and squared letters", "ⓗⓔ🅛🅻o", "hello"],
    ["zero-width characters", "h\u{200B}e\u{2060}l\u{200D}l\u{FEFF}o", "hello"],
    ["directions", "\u{202E}hello\u{202C}", "hello"],
    ["variation selectors and tags", "he\u{FE0F}l\u{E0041}lo", "hello"],
    ["soft hyphens and controls", "he\u{AD}l\u{7}lo", "hello"],
    ["curly quotes and dashes", "“don’t” – ok…", '"don\'t" - ok...'],
    ["sharp s and final sigma", "Straße ς", "strasse σ"],
  ])("reads %s", (_, written, plain) => {
    expect(read(written)).toBe(plain);
  });

  it("knows every white space of Unicode as one space each", () => {
    for (const space of "\t\n\v\f\r \u{85}\u{A0}\u{1680}\u{2003}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}") {
      expect(read(`buy${space}now`)).toBe("buy now");
    }
  });

  it("folds accents of Latin, Greek and Cyrillic letters", () => {
    expect(read("Ünïcödé año ё й ά")).toBe("unicode ano е и α");
    expect(read("e\u{301}\u{300}n\u{336}")).toBe("en");
  });

  it.each(["わたしはがばぱ", "หี หิว", "चूत चीता", "한국어", "שָׁלוֹם", "تَشْكِيل"])(
    "keeps the marks of %s",
    (text) => {
      expect(read(text)).toBe(text.normalize("NFC"));
    },
  );

  it("composes what is written in parts", () => {
    expect(read("か\u{3099}")).toBe("が");
    expect(read("ｶﾞ")).toBe("ガ");
    expect(read("한국어".normalize("NFD"))).toBe("한국어");
  });

  it("does not let a mark of another script into a Latin word", () => {
    expect(read("ba\u{94D}d")).toBe("bad");
    expect(read("1\u{301}2")).toBe("12");
  });

  it("reads half a surrogate pair as U+FFFD", () => {
    expect(read("cut: \u{D83D}")).toBe("cut: \u{FFFD}");
    expect(read("\u{DE00}\u{D83D}a")).toBe("\u{FFFD}\u{FFFD}a");
  });

  it("cuts a pile of marks", () => {
    expect(read(`ก${"\u{E31}".repeat(1_000)}ข`)).toHaveLength(32);
  });
});

const shown = (text: string, part: string): string => {
  const form = normalise(text);
  const from = form.text.indexOf(part);
  const { start, end } = placeOf(form, from, from + part.length);
  return text.slice(start, end);
};

describe("places", () => {
  it.each([
    ["a plain text", "say hello now", "hello", "hello"],
    ["behind a pair", "🙂 Hello", "hello", "Hello"],
    ["with zero widths inside", "x h\u{200B}ello y", "hello", "h\u{200B}ello"],
    ["with marks", "x he\u{301}llo y", "hello", "he\u{301}llo"],
    ["in mathematical letters", "x 𝖍𝖊𝖑𝖑𝖔 y", "hello", "𝖍𝖊𝖑𝖑𝖔"],
    ["a ligature's half", "ﬁne", "f", "ﬁ"],
  ])("of %s", (_, text, part, original) => {
    expect(shown(text, part)).toBe(original);
  });

  it("lie in the original, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(), fc.nat(), (text, a, b) => {
        const form = normalise(text);
        if (form.text === "") return;
        const from = Math.min(a, b) % form.text.length;
        const to = from + 1 + (Math.max(a, b) % (form.text.length - from));
        const { start, end } = placeOf(form, from, to);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
