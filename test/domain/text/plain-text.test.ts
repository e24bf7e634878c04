import { describe, expect, it } from "vitest";
import { plainText, readAsLatin, shown } from "../../../src/domain/text/normalise.ts";
import { asWords, spellOut } from "../../../src/domain/text/spell-out.ts";

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
