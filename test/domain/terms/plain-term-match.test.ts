import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findTerm, fold, matchTerms } from "../../../src/domain/terms/plain-term-match.ts";
import { spamScore } from "../../../src/domain/terms/term-match.ts";
import { cpuMsOf } from "../cpu-ms.ts";

const NONE: readonly string[] = [];

const blocks = (text: string, block: readonly string[], allow = NONE): readonly number[] =>
  matchTerms(text, { block, allow, spam: NONE }).blocked;

const phrasesIn = (text: string, spam: readonly string[], allow = NONE): number =>
  matchTerms(text, { block: NONE, allow, spam }).spamPhrases;

describe("fold", () => {
  it.each([
    ["case", "BUY Now", "buy now"],
    ["full width", "ＢＵＹ　ｎｏｗ", "buy now"],
    ["ligatures", "ﬁsh ﬄ", "fish ffl"],
    ["mathematical letters", "𝐛𝐮𝐲 𝓷𝓸𝔀", "buy now"],
    ["diacritics, composed", "Café naïve", "cafe naive"],
    ["diacritics, apart", "Cafe\u0301", "cafe"],
    ["marks piled up", "b\u0336\u0301\u0334u\u0336y", "buy"],
    ["zero-width characters", "b\u200bu\u200dy\ufeff", "buy"],
    ["a soft hyphen", "b\u00aduy", "buy"],
    ["white space of any kind", "buy\u00a0\t\n\u2003now", "buy now"],
    ["half-width katakana", "ｶﾞ", "カ"],
    ["sharp s, in both cases", "Straße STRASSE", "strasse strasse"],
    ["the capital sharp s", "STRAẞE", "strasse"],
    ["a dotless i", "kıll", "kill"],
    ["a dotted capital i", "KİLL", "kill"],
    ["the final sigma", "ΟΔΟΣ οδος", "οδος οδος"],
    ["nothing", "", ""],
  ])("%s", (_, text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it("is done at once, so a term matches itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
      }),
    );
  });
});

describe("a term", () => {
  it.each<[string, string, string, boolean]>([
    ["the whole text", "idiot", "idiot", true],
    ["a word", "you Idiot!", "idiot", true],
    ["between signs", "(idiot)-x", "idiot", true],
    ["part of a word", "idiotic", "idiot", false],
    ["the end of a word", "theidiot", "idiot", false],
    ["beside a digit", "idiot5", "idiot", false],
    ["beside an underscore", "_idiot_", "idiot", true],
    ["a whole word after part of one", "idiotic idiot", "idiot", true],
    ["a phrase over white space", "buy \n\t now!", "buy now", true],
    ["a phrase with other words between", "buy it now", "buy now", false],
    ["a phrase with white space about it", "buy now", "  buy now ", true],
    ["with signs of its own", "use c++ now", "c++", true],
    ["with signs of its own, beside a letter", "c++x", "c++", true],
    ["beginning with a sign", "x.com is", ".com", true],
    ["beginning with a sign, ending in a word", "x.community", ".com", false],
    ["hidden by a zero-width space", "id\u200biot", "idiot", true],
    ["in full width", "ｉｄｉｏｔ", "idiot", true],
    ["with diacritics", "ïdïöt", "idiot", true],
    ["given with diacritics", "idiot", "ïdiöt", true],
    ["a German word in capitals", "SCHEISSE", "Scheiße", true],
    ["Han within a sentence", "你是傻瓜吗", "傻瓜", true],
    ["Han within a longer word", "傻瓜相机", "傻瓜", true],
    ["Hiragana", "これはばかです", "ばか", true],
    ["Thai", "คุณโง่มาก", "โง่", true],
    ["Latin letters within Han", "买buy now吧", "buy now", true],
    ["Hangul has spaces: part of a word", "바보같은", "바보", false],
    ["Hangul, whole", "이 바보 야", "바보", true],
    ["Cyrillic", "дурак!", "дурак", true],
    ["Cyrillic, part of a word", "дураками", "дурак", false],
    ["letters beyond the first plane, part of a word", "𞤀𞤣𞤤𞤢𞤥", "𞤀𞤣", false],
    ["letters beyond the first plane, whole", "𞤀𞤣𞤤𞤢𞤥!", "𞤀𞤣𞤤𞤢𞤥", true],
    ["an emoji", "so 🖕🏽!", "🖕", true],
    ["an emoji beside a word", "you🖕", "🖕", true],
    ["nothing", "text", "", false],
    ["only white space", "a  b", "  ", false],
    ["only what cannot be seen", "a\u200bb", "\u200b", false],
    ["__proto__", "say __proto__ here", "__proto__", true],
    ["__proto__ where there is none", "nothing here", "__proto__", false],
  ])("%s", (_, text, term, found) => {
    expect(blocks(text, [term])).toEqual(found ? [0] : []);
    expect(findTerm(fold(text), term).length > 0).toBe(found);
  });

  it("is found at each of its places, overlapping ones too", () => {
    expect(findTerm("a a a", "a a")).toEqual([
      { start: 0, end: 3 },
      { start: 2, end: 5 },
    ]);
    expect(findTerm("xx xxx xx", "xx")).toEqual([
      { start: 0, end: 2 },
      { start: 7, end: 9 },
    ]);
  });

  it("is named by its index; empty terms keep theirs", () => {
    const terms = ["none", "", "beta", "Beta", "alpha"];
    expect(blocks("alpha beta", terms)).toEqual([2, 3, 4]);
  });

  it("one that begins another, and one within another, are both found", () => {
    expect(blocks("buy now please", ["buy now please", "buy now", "now", "buy now not"])).toEqual([
      0, 1, 2,
    ]);
  });
});

describe("an allow term", () => {
  it.each<[string, string, string[], string[], number[]]>([
    [
      "cancels a match that it covers",
      "Scunthorpe United",
      ["scunthorpe"],
      ["scunthorpe united"],
      [],
    ],
    ["cancels a match that it overlaps at the end", "a b c", ["b c"], ["a b"], []],
    ["cancels a match that it overlaps at the start", "a b c", ["a b"], ["b c"], []],
    ["cancels a match around it", "a b c", ["a b c"], ["b"], []],
    ["not one that it only touches", "a b", ["a"], ["b"], [0]],
    ["only at that place", "dick van dyke, you dick", ["dick"], ["dick van dyke"], [0]],
    [
      "everywhere that it stands",
      "dick van dyke and dick van dyke",
      ["dick"],
      ["dick van dyke"],
      [],
    ],
    ["is a whole word, too", "dickens dick", ["dick"], ["dickens d"], [0]],
    ["is folded", "ＤＩＣＫ van Dyke", ["dick"], ["Díck Van Dyke"], []],
    ["several", "a b c d", ["b", "c"], ["a b", "c d"], []],
    ["is nothing when it is empty", "a", ["a"], ["", " "], [0]],
  ])("%s", (_, text, block, allow, blocked) => {
    expect(blocks(text, block, allow)).toEqual(blocked);
  });

  it("blanks its places for the word lists, and nothing else", () => {
    const { unallowed } = matchTerms("You Dick van Dyke, dick!", {
      block: NONE,
      allow: ["dick van dyke"],
      spam: NONE,
    });
    expect(unallowed).toBe(`you ${" ".repeat(13)}, dick!`);
    expect(matchTerms("As it Is", { block: NONE, allow: NONE, spam: NONE }).unallowed).toBe(
      "as it is",
    );
  });

  it("cancels spam phrases as well", () => {
    expect(phrasesIn("buy now or never", ["buy now"], ["buy now or never"])).toBe(0);
  });
});

describe("spam phrases", () => {
  it.each([
    ["each once, however often", "buy now buy now click here", ["buy now", "click here"], 2],
    ["the same phrase twice in the list", "buy now", ["buy now", "Buy  NOW", "BUY now "], 1],
    ["none", "hello", ["buy now"], 0],
    ["no empty phrase", "hello", ["", " "], 0],
  ])("%s", (_, text, phrases, found) => {
    expect(phrasesIn(text, phrases)).toBe(found);
  });

  it("give 0.35 each, at most 1, exactly", () => {
    expect([0, 1, 2, 3, 4, 1000].map(spamScore)).toEqual([0, 0.35, 0.7, 1, 1, 1]);
  });
});

const joined = (left = "", right = ""): boolean => /[ab]/.test(left) && /[abe]/.test(right);

/** Every place of a term, one by one. */
function places(folded: string, wanted: string): { start: number; end: number }[] {
  const needle = fold(wanted).trim();
  return Array.from({ length: folded.length }, (_, start) => ({
    start,
    end: start + needle.length,
  }))
    .filter(({ start, end }) => needle !== "" && folded.slice(start, end) === needle)
    .filter(({ start }) => !/[abe]/.test(folded[start - 1] ?? "") || !joined("a", folded[start]))
    .filter(({ end }) => !/[abe]/.test(folded[end - 1] ?? "") || !joined("a", folded[end]));
}

describe("against a plain search", () => {
  const letter = fc.constantFrom("a", "b", " ", "-", "語", "é", "\u200b");
  const text = fc.string({ unit: letter, maxLength: 40 });
  const term = fc.string({ unit: letter, maxLength: 4 });

  it("finds the same, for any text and lists", () => {
    fc.assert(
      fc.property(text, fc.array(term), fc.array(term), (written, block, allow) => {
        const folded = fold(written);
        const allowed = allow.flatMap((one) => places(folded, one));
        const expected = block.flatMap((one, index) =>
          places(folded, one).some(
            (at) => !allowed.some(({ start, end }) => start < at.end && at.start < end),
          )
            ? [index]
            : [],
        );
        const matches = matchTerms(written, { block, allow, spam: block });
        expect(matches.blocked).toEqual(expected);
        expect(matches.spamPhrases).toBe(
          new Set(expected.map((index) => fold(block[index] ?? "").trim())).size,
        );
        expect(matches.unallowed).toHaveLength(folded.length);
      }),
      { numRuns: 500 },
    );
  });
});

const thousand = (make: (at: number) => string): string[] =>
  Array.from({ length: 1000 }, (_, at) => make(at));

describe("hostile input", () => {
  const K = 100_000;
  it.each<[string, string, string[]]>([
    [
      "terms that almost match everywhere",
      "a".repeat(K),
      thousand((at) => `${"a".repeat(150 + (at % 50))}b`),
    ],
    ["words that almost match", "a ".repeat(K / 2), thousand((at) => `${"a ".repeat(at % 90)}b`)],
    ["marks", "a" + "\u0301\u0316".repeat(K / 4), thousand((at) => `term ${at}`)],
    ["what grows when it is folded", "\ufdfa".repeat(K / 3), thousand((at) => `term ${at}`)],
    ["no words", " ".repeat(K), thousand((at) => `term ${at}`)],
  ])("is linear: %s", async (_, text, terms) => {
    const lists = { block: terms, allow: terms.slice(0, 500), spam: terms };
    const cpuMs = await cpuMsOf(() => expect(matchTerms(text, lists).blocked).toEqual([]));
    expect(cpuMs).toBeLessThan(5000);
  });
});
