import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  normalise,
  placeOf,
  plainText,
  readAsLatin,
  shown,
  withoutUnseen,
} from "../../../src/domain/text/normalise.ts";
import { asWords, spellOut } from "../../../src/domain/text/spell-out.ts";

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

const shownPlace = (text: string, part: string): string => {
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
    expect(shownPlace(text, part)).toBe(original);
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

describe("what a reader sees", () => {
  it.each([
    ["case and accents", "Ünïcödé Straße ΟΔΟΣ İstanbul ё", "Ünïcödé Straße ΟΔΟΣ İstanbul ё"],
    ["full width", "Ｈｅｌｌｏ", "Hello"],
    ["marks that are apart", "e\u{301}", "é"],
    ["nothing unseen", "h\u{200B}e\u{AD}l\u{E0041}lo", "hello"],
    ["one kind of white space", "a\u{A0}b\u{2028}c\r\nd", "a b c d"],
    ["plain punctuation", "“don’t” – ok…", '"don\'t" - ok...'],
    ["half a surrogate pair", "cut: \u{D83D}", "cut: \u{FFFD}"],
    ["other scripts", "わたしはがばぱ", "わたしはがばぱ"],
  ])("is %s", (_, written, seen) => {
    expect(shown(written)).toBe(seen);
  });

  it("has its lines where they are wanted", () => {
    expect(shown("a\r\nb\u{2028}c\u{B}d\u{A0}e", "kept")).toBe("a\nb\nc\nd e");
    expect(shown("plain\nlines", "kept")).toBe("plain\nlines");
  });
});

describe("a plain text", () => {
  it.each([
    ["of Latin words with letters of others in them", "Уоu аrе ΗIGH", "You are HIGH"],
    ["of honest words", "Привет, Łódź, Ελλάδα, Ørsted", "Привет, Łódź, Ελλάδα, Ørsted"],
    ["of both", "Ηello, Привет", "Hello, Привет"],
  ])("is %s", (_, written, plain) => {
    expect(plainText(written)).toBe(plain);
  });

  it("is Latin throughout for one who knows nothing else", () => {
    expect(readAsLatin("ѕһіт привет")).toBe("shit npиbet");
  });
});

describe("English that is spelled out", () => {
  it.each([
    ["letters apart", "you i d i o t", "you idiot"],
    ["letters with dots", "i.d.i.o.t", "idiot"],
    ["two words", "y o u i d i o t", "you idiot"],
    ["leet", "1d10t $tupid b4dw0rd", "idiot stupid badword"],
    ["repeated letters", "stuuuupid", "stupid"],
    ["lookalikes alone", "ѕһіт", "shit"],
    ["what ends a sentence", "stupid! stop!!", "stupid! stop!!"],
    ["numbers", "100 4 $5", "100 4 $5"],
    ["a name", "@you", "@you"],
  ])("is read with %s", (_, written, words) => {
    expect(asWords(spellOut(written)).replaceAll(/ +/g, " ").trim()).toBe(words);
  });
});

describe("withoutUnseen", () => {
  it.each([
    ["a zero-width space", "id\u200bi\u200cot", "idiot"],
    ["joiners", "a\u200db\u2060c\ufeffd", "abcd"],
    ["a soft hyphen", "id\u00adiot", "idiot"],
    ["bidirectional controls", "\u202etoidi\u202c\u2066x\u2069", "toidix"],
    ["control characters", "a\u0000b\u0007c\u001bd\u007fe\u0086f", "abcdef"],
    [
      "no line break of any kind",
      "a\r\n\tb\rc\u000bd\u000ce\u0085f\u2028g\u2029h\ni",
      "a\n\tb\nc\nd\ne\nf\ng\nh\ni",
    ],
    ["Hangul fillers", "a\u115fb\u1160c\u3164d\uffa0e", "abcde"],
    ["variation selectors", "❤\ufe0f", "❤"],
    ["more of them", "x\u{e0100}", "x"],
    ["the tag block", "ok\u{e0069}\u{e0067}\u{e006e}", "ok"],
    ["a grapheme joiner", "a\u034fb", "ab"],
    ["a Mongolian vowel separator", "a\u180eb", "ab"],
    ["nothing of what is seen", "Füße 日本 👍🏽 \u00a0 é", "Füße 日本 👍🏽 \u00a0 é"],
    ["no lone surrogate", "a\ud83db", "a\ud83db"],
  ])("takes out %s", (_, text, seen) => {
    expect(withoutUnseen(text)).toBe(seen);
  });

  it("is never longer, leaves ASCII in place, and is done at once", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "grapheme-ascii" }),
        (any, ascii) => {
          expect(withoutUnseen(any).length).toBeLessThanOrEqual(any.length);
          expect(withoutUnseen(withoutUnseen(any))).toBe(withoutUnseen(any));
          expect(withoutUnseen(ascii)).toBe(ascii);
        },
      ),
    );
  });
});
