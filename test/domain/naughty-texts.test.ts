import * as fc from "fast-check";
import { resolveConfusablesTransformer } from "obscenity";
import { describe, expect, it } from "vitest";
import { findInjection } from "../../src/domain/injection.ts";
import { matchTerms } from "../../src/domain/term-match.ts";
import { latinCapital, latinLetter } from "../../src/text/lookalikes.ts";
import { normalise } from "../../src/text/normalise.ts";

// Kinds of texts that break programs, and every character that is drawn like a Latin letter.

const NAUGHTY: readonly string[] = [
  "",
  "\0",
  "undefined null NaN true -Infinity 0x0 1e309",
  "__proto__ constructor toString hasOwnProperty",
  "<script>alert(1)</script> ' OR 1=1; DROP TABLE users --",
  "%s%d%n {{7*7}} ${7*7} ../../etc/passwd\0",
  "\u202e\u2066txet\u2069\u202c \u061c\u200f",
  "\u0001\u0008\u000e\u001b[31m\u007f\u0080\u009f\ufeff\ufffe\uffff",
  "\t\u000b\f\u0085\u00a0\u1680\u2000\u2028\u2029\u202f\u205f\u3000",
  "田中さんにあげて下さい 울란바토르 ﷽ ﷺ בְּרֵאשִׁית السلام",
  "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮ T̸̡̪̯ͨ͊̽̅̾",
  "👾 🙇 💁 🙅 🆔 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇺🇸🇷 ✋🏿 1️⃣",
  "½ ⅛ ٠١٢ ⁰⁴⁵ ₀₁₂ Ω≈ç√∫˜µ ÅÍÎÏ˝ÓÔÒÚÆ☃ ŒÑ ﬁ ǆ ŉ ΐ İı ẞß",
  "̔ͨ\u0301\u0301\u0301 \ud83d \ude00 \udbff\udfff",
  "ᚻᛖ ᚳᚹᚫᚦ 𝕋𝕙𝕖 𝓆𝓊𝒾𝒸𝓀 🅱🆁🅾🆆🅽 ⒡⒪⒳ ʇɐɥʇ",
  "\u{E0001}\u{E0069}\u{E007F}\u{10FFFF}\u{F0000}",
];

const POLICY = {
  terms: {
    block: [...NAUGHTY, ...NAUGHTY.map((term) => ({ term, match: "substring" as const }))],
    allow: NAUGHTY.slice(3, 5),
  },
  spam_phrases: [...NAUGHTY],
};

describe("naughty texts", () => {
  it.each(NAUGHTY.map((text) => [text]))("%j is read as terms, phrases and attacks", (text) => {
    const { blocked, spamPhrases } = matchTerms(text, POLICY);
    for (const { spans } of blocked) {
      for (const { start, end } of spans) expect(text.slice(start, end)).not.toBe("");
    }
    expect(spamPhrases).toBeLessThanOrEqual(NAUGHTY.length);
    expect(findInjection(text)).toBeOneOf([null, "hidden_text"]);
  });

  it("hide no term that stands beside them", () => {
    const policy = { terms: { block: ["badword"], allow: [] }, spam_phrases: ["buy now"] };
    for (const text of NAUGHTY) {
      const { blocked, spamPhrases } = matchTerms(`${text}\nb4dword\n${text}\nbuy\rnow`, policy);
      expect([text, blocked.length, spamPhrases]).toEqual([text, 1, 1]);
    }
  });
});

const looksLike = (character: string): string =>
  String.fromCodePoint(
    resolveConfusablesTransformer().transform(character.codePointAt(0) ?? 0) ?? 0,
  ).toLowerCase();

describe("characters that look like a Latin letter", () => {
  const alike = Array.from({ length: 0x1fff0 }, (_, code) => code)
    .filter((code) => code > 0x7f && (code < 0xd800 || code > 0xdfff))
    .map((code) => String.fromCodePoint(code))
    .filter((character) => /^[a-z]$/.test(looksLike(character)));

  it("are seen through where the normal form or our table knows them", () => {
    const known = alike.filter((character) => {
      const { text } = normalise(character);
      return /^[a-z]$/.test(text) || /^[a-z]$/.test(latinLetter(text) ?? "");
    });
    // The rest are letters of rare scripts, which that list sees likenesses in.
    expect(known.length).toBeGreaterThan(0.65 * alike.length);
    for (const character of known) {
      const { text } = normalise(character);
      const letter = latinCapital(character.normalize("NFKC")) ?? latinLetter(text) ?? text;
      const term = `bad${letter}word`;
      const { blocked } = matchTerms(`bad${character}word`, {
        terms: { block: [term], allow: [] },
        spam_phrases: [],
      });
      expect([character, blocked.length]).toEqual([character, 1]);
    }
  });

  it("break nothing in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alike, " ", "1", "|", "-")), (characters) => {
        expect(matchTerms(characters.join(""), POLICY).blocked.length).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
