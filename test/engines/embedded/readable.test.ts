import { describe, expect, it } from "vitest";
import { isReadable } from "../../../src/engines/embedded/readable.ts";
import { FOREIGN_THREATS } from "../../moderation/foreign-threats.ts";
import { TEXTS_WITHOUT_LANGUAGE } from "../../moderation/texts-without-language.ts";

describe("a text in no language", () => {
  it.each(TEXTS_WITHOUT_LANGUAGE)("can be read by English lists: %j", (text) => {
    expect(isReadable(text)).toBe(true);
  });
});

describe.each(Object.entries(FOREIGN_THREATS))("a few words of %s", (_, texts) => {
  it.each(texts)("cannot: %j", (text) => {
    expect(isReadable(text)).toBe(false);
  });
});

describe("what does not help a foreign text through", () => {
  it.each([
    ["a name", "Muere, John"],
    ["a place", "Puta Madrid"],
    ["an address", "https://example.com te voy a matar"],
    ["a program around it", "{ te voy a matar; }"],
    ["a capital", "du Hurensohn"],
    ["digits and signs", "42 te voy a matar :-)"],
    ["an English insult", "maldito idiot"],
    [
      "much English before it",
      `${"This is a lovely day, my friends. ".repeat(20)}te voy a matar hijo de puta vas a morir perro sucio no vales nada muere`,
    ],
    [
      "much English after it",
      `te voy a matar hijo de puta vas a morir perro sucio no vales nada muere ${"This is a lovely day, my friends. ".repeat(20)}`,
    ],
  ])("%s", (_, text) => {
    expect(isReadable(text)).toBe(false);
  });
});

describe("100 KB of hostile text", () => {
  it.each(["a", "@", "'", "a'", "aB", ".", "www.", "\u0301", "a@b", "://"])(
    "%j is read",
    (part) => {
      expect(isReadable(part.repeat(Math.ceil(100_000 / part.length)))).toBeTypeOf("boolean");
    },
  );
});
