import { describe, expect, it } from "vitest";
import { tokenise } from "../../src/tier0/tokenise.ts";
import { aVocabulary } from "./a-vocabulary.ts";

const words = (text: string): string[] =>
  tokenise(text, aVocabulary()).tokens.map((token) => token.word);

const places = (text: string): string[] =>
  tokenise(text, aVocabulary()).tokens.map(({ start, end }) => text.slice(start, end));

describe("tokens", () => {
  it.each([
    ["words and marks", "Hello, you!!", ["hello", ",", "you", "!!"]],
    [
      "negation",
      "I don't, can't, wont, cannot",
      ["i", "do", "n't", ",", "can", "n't", ",", "will", "n't", ",", "can", "n't"],
    ],
    ["numbers, addresses, people", "@anna 12 https://x.example/y?z", ["<user>", "<num>", "<url>"]],
    ["emoji", "hello 🙂", ["hello", "e:1f642"]],
    ["short tails", "it's you're", ["it", "'s", "you", "'re"]],
    ["emphasis", "*well*", ["*", "well"]],
    ["a sign that is no letter", "stop!now", ["stop", "!", "now"]],
  ])("are %s", (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each([
    ["leet", "1d10t"],
    ["leet with signs", "$tup!d"],
    ["repeats", "fooool"],
    ["stars", "id*ot"],
    ["lookalikes", "іdіоt"],
    ["full width", "ｉｄｉｏｔ"],
    ["zero width", "i\u{200B}d\u{200B}i\u{200B}o\u{200B}t"],
    ["spaces", "i d i o t"],
    ["dots", "i.d.i.o.t"],
    ["emoji between letters", "i🙂d🙂i🙂o🙂t"],
    ["an emoji inside", "id🙂iot"],
    ["a hyphen inside", "idi-ot"],
    ["a gap inside", "idi ot"],
    ["a plural", "idiots"],
    ["a carriage return", "i\rd\ri\ro\rt"],
  ])("sees through %s", (_, written) => {
    const found = words(`you ${written} hello`);
    expect(found).toContain({ $: "stupid", f: "fool" }[written[0] ?? ""] ?? "idiot");
    expect(found.at(-1)).toBe("hello");
  });

  it("finds words of abuse among letters that are spelled out", () => {
    expect(words("y o u s t u p i d")).toEqual(["you", "stupid"]);
  });

  it.each(["well-known", "class.is", "you are it", "I'm a DJ", "Hello World"])(
    "leaves %s alone",
    (text) => {
      expect(words(text).join("")).not.toMatch(/wellknown|classis|itthe/);
      expect(places(text).join("")).toBe(text.replaceAll(" ", ""));
    },
  );

  it("says where each is in the original", () => {
    expect(places("Ｙou 🙂 і\u{200B}diot don't")).toEqual([
      "Ｙou",
      "🙂",
      "і\u{200B}diot",
      "do",
      "n't",
    ]);
    expect(places("x i d i o t y!")).toEqual(["x", "i d i o t", "y", "!"]);
  });

  it("keeps other scripts whole", () => {
    expect(words("わたしはかえります Привет")).toEqual(["わたしはかえります", "привет"]);
  });
});

describe("hostile texts", () => {
  const LENGTH = 60_000;

  it.each([
    "a",
    "a.",
    "f u c k ",
    "*",
    "@a",
    "\u{301}",
    "'",
    "a*",
    "a'b",
    "😀",
    "a!",
    "a🙂b",
    "ﷺ",
    "e\u{301}",
    "a$",
    "\u{D83D}",
    "a-",
    "id-",
    "i ",
    "1a",
    "а",
  ])("of %j cost a few look-ups a unit", (piece) => {
    const vocabulary = aVocabulary();
    const text = piece.repeat(LENGTH / piece.length);
    const { tokens } = tokenise(text, vocabulary);
    expect(vocabulary.asked).toBeLessThan(text.length * 6);
    expect(tokens.length).toBeLessThanOrEqual(65_536);
  });

  it("are cut when they have too many tokens, and say so", () => {
    expect(tokenise("a. ".repeat(100), aVocabulary(), 50)).toMatchObject({ complete: false });
    expect(tokenise("a. ".repeat(25), aVocabulary(), 50)).toMatchObject({ complete: true });
    expect(tokenise("x!y ".repeat(10_000), aVocabulary()).complete).toBe(false);
    expect(tokenise("x!y ".repeat(1_000), aVocabulary()).complete).toBe(true);
  });
});
