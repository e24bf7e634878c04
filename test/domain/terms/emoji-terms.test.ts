import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchTerms } from "../../../src/domain/terms/term-match.ts";
import type { Term } from "../../../src/domain/terms/term.ts";

const placesOf = (text: string, term: Term): string[] =>
  matchTerms(text, { terms: { block: [term], allow: [] }, spam_phrases: [] }).blocked.flatMap(
    ({ spans }) => spans.map(({ start, end }) => text.slice(start, end)),
  );

const COUPLE = "👩‍❤️‍👨";
const FAMILY = "👨‍👩‍👧";
const ENGLAND = "🏴󠁧󠁢󠁥󠁮󠁧󠁿";
const WALES = "🏴󠁧󠁢󠁷󠁬󠁳󠁿";

describe("an emoji is found", () => {
  it.each<[string, string, Term, string[]]>([
    ["between words", "I ❤ you", "❤", ["❤"]],
    ["drawn in colour", "I ❤️ you", "❤", ["❤️"]],
    ["where the term is drawn in colour", "I ❤ you", "❤️", ["❤"]],
    ["drawn as text", "I ❤\u{FE0E} you", "❤️", ["❤\u{FE0E}"]],
    ["beside letters", "you🖕now", "🖕", ["🖕"]],
    ["in a row", "🖕🖕", "🖕", ["🖕", "🖕"]],
    ["with a skin tone", "so 🖕🏽!", "🖕", ["🖕🏽"]],
    ["with the skin tone of the term", "🖕🏿 🖕🏽", "🖕🏽", ["🖕🏽"]],
    ["a tone alone", "🏽", "🏽", ["🏽"]],
    ["a whole family", `the ${FAMILY}!`, FAMILY, [FAMILY]],
    ["a couple whose heart has no selector", "👩‍❤‍👨", COUPLE, ["👩‍❤‍👨"]],
    ["a flag", "go 🇩🇪!", "🇩🇪", ["🇩🇪"]],
    ["a flag beside others", "🇫🇷🇩🇪🇫🇷", "🇩🇪", ["🇩🇪"]],
    ["a flag that an odd letter follows", "🇩🇪🇸", "🇩🇪", ["🇩🇪"]],
    ["England's flag", `in ${ENGLAND}`, ENGLAND, [ENGLAND]],
    ["a keycap", "press 1️⃣ now", "1️⃣", ["1️⃣"]],
    ["a keycap beside others", "1️⃣2️⃣3️⃣", "2️⃣", ["2️⃣"]],
    ["a keycap without its selector", "1\u{20E3}", "1️⃣", ["1\u{20E3}"]],
    ["several", "so 🍆💦!", "🍆💦", ["🍆💦"]],
    ["several, apart", "so 🍆 💦!", "🍆💦", ["🍆 💦"]],
    ["several, given apart", "so 🍆💦!", "🍆 💦", ["🍆💦"]],
    ["within words, by its substring", "you🖕now", { term: "🖕", match: "substring" }, ["🖕"]],
    ["as it is written", "🖕🏽", { term: "🖕🏽", match: "exact" }, ["🖕🏽"]],
    ["in a phrase", "I ❤️ spam", "i ❤ spam", ["I ❤️ spam"]],
    ["in a phrase, with a skin tone", "spam 👍🏽", "spam 👍", ["spam 👍"]],
    ["letters in squares, as letters", "🅱🅰🅳", "bad", ["🅱🅰🅳"]],
  ])("%s", (_, text, term, places) => {
    expect(placesOf(text, term)).toEqual(places);
  });
});

describe("an emoji is not found", () => {
  it.each<[string, string, Term]>([
    ["in a couple", COUPLE, "❤"],
    ["in a couple, by its substring", COUPLE, { term: "❤", match: "substring" }],
    ["as the beginning of a family", FAMILY, "👨"],
    ["as the end of a family", FAMILY, "👧"],
    ["as a family of persons", "👨👩👧", FAMILY],
    ["as the persons of a family", FAMILY, "👨👩👧"],
    ["in two flags", "🇺🇸🇷🇺", "🇸🇷"],
    ["in another row of flags", "🇩🇪🇩🇪", "🇪🇩"],
    ["as the base of England's flag", ENGLAND, "🏴"],
    ["as another country's", ENGLAND, WALES],
    ["as the digit of a keycap", "call 1 now", "1️⃣"],
    ["with another skin tone", "🖕🏿", "🖕🏽"],
    ["without the term's skin tone", "🖕", "🖕🏽"],
    ["with a skin tone, letter for letter", "🖕🏽", { term: "🖕", match: "exact" }],
    ["as the skin tone of another", "👍🏽", "🏽"],
    ["as letters", "bad", "🅱🅰🅳"],
    ["as a sign that is a letter when it is folded", "I am", "ℹ️"],
    ["in a phrase, as a part of another", `I ${COUPLE}`, "i 👩"],
    ["in a phrase, at its beginning", `${COUPLE} you`, "👨 you"],
    ["in a phrase with another", "I 👨‍👩‍👧 you", "i 👨👩👧 you"],
    ["in a phrase with a keycap as a digit", "option 1", "option 1️⃣"],
    ["parted by a word", "🍆 or 💦", "🍆💦"],
  ])("%s", (_, text, term) => {
    expect(placesOf(text, term)).toEqual([]);
  });
});

const plain = (text: string): string => text.replaceAll("\u{FE0F}", "");

describe("emoji", () => {
  it("of phrases are told apart", () => {
    const spam_phrases = ["🇺🇸", "🇷🇺", "1️⃣", "2️⃣", "❤", "❤️"];
    const policy = { terms: { block: [], allow: [] }, spam_phrases };
    expect(matchTerms("🇺🇸 1️⃣", policy).spamPhrases).toBe(2);
    expect(matchTerms("❤️", policy).spamPhrases).toBe(1);
  });

  it("that are allowed leave others blocked", () => {
    const policy = { terms: { block: ["❤"], allow: [COUPLE, "👍 ❤️"] }, spam_phrases: [] };
    expect(matchTerms(`${COUPLE} 👍🏿❤`, policy).blocked).toEqual([]);
    expect(matchTerms(`${COUPLE} ❤`, policy).blocked).toHaveLength(1);
  });

  it("are found exactly where Unicode's clusters are", () => {
    const emoji = ["❤", "❤️", "🖕", "🖕🏽", "🇺🇸", "🇸🇷", "🇷🇺", COUPLE, FAMILY, ENGLAND, "🏴", "1️⃣"];
    const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...emoji, " ", "x", "🇺"), { maxLength: 12 }),
        fc.constantFrom(...emoji),
        (parts, term) => {
          const text = parts.join("");
          const clusters = Array.from(graphemes.segment(text), ({ segment }) => plain(segment));
          const isTerm = (cluster: string) =>
            cluster === plain(term) || (term === "🖕" && cluster === "🖕🏽");
          expect([text, placesOf(text, term).length]).toEqual([
            text,
            Math.min(5, clusters.filter(isTerm).length),
          ]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["flags", "🇺🇸".repeat(12_500)],
    ["joined", "👩‍".repeat(16_000)],
    ["tags without an end", "🏴" + "\u{E0067}".repeat(25_000)],
    ["selectors", "❤" + "\u{FE0F}".repeat(50_000)],
    ["nearly the term", "🍆💦".repeat(12_500)],
  ])("are looked at a few times each in hostile text: %s", (_, text) => {
    const steps = { count: 0 };
    const block = Array.from({ length: 90 }, (_none, at) => `${"🍆💦".repeat(at % 45)}🇸🇷`);
    matchTerms(text, { terms: { block, allow: [] }, spam_phrases: [] }, steps);
    expect(steps.count).toBeLessThan(13 * text.length + 300_000);
  });
});
