import * as fc from "fast-check";
import { englishDataset, englishRecommendedTransformers, pattern, RegExpMatcher } from "obscenity";
import { expect, it } from "vitest";
import { profanityScreen } from "../../../src/engines/embedded/profanity-screen.ts";

const further = [
  pattern`|stfu|`,
  pattern`a?b`,
  pattern`|spic[s]|`,
  pattern`1\\?2.3`,
  pattern`🖕`,
].map((one, at) => ({ id: 10_000 + at, pattern: one }));
const blacklistedTerms = [...(englishDataset.build().blacklistedTerms ?? []), ...further];

const mayMatch = profanityScreen(blacklistedTerms);
const matcher = new RegExpMatcher({ blacklistedTerms, ...englishRecommendedTransformers });

/** Letters of the list and what is read as them, and what ends a word. */
const pieces = [
  ...Array.from("aabcdeefghiiklmnnoopqrsstuuvwxyzAFKS013457@$!|*._- \n'\"("),
  ...Array.from("\u0430\u00e4\u0455\uff46\u24d5\u{1F150}\u{1F595}\ud83d"),
  ..."fuck shit ass bitch cunt dick nigg fag tit cum stfu spics ab a b 1?2.3".split(" "),
  ..."class assess cockpit scunthorpe fffuuuck sh1t @ss f.u.c.k".split(" "),
];

it("says what the matcher without innocent words would say", () => {
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((all) => all.join(""));
  const seen = { yes: 0, no: 0 };
  fc.assert(
    fc.property(text, (tried) => {
      const expected = matcher.hasMatch(tried);
      seen[expected ? "yes" : "no"] += 1;
      expect(mayMatch(tried)).toBe(expected);
    }),
    { numRuns: 5000 },
  );
  expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(500);
});

it.each(blacklistedTerms.map(({ pattern: { nodes } }) => nodes))(
  "finds every pattern",
  (...nodes) => {
    const word = nodes
      .flatMap((node) => ("chars" in node ? node.chars : [0x78]))
      .map((code) => String.fromCodePoint(code))
      .join("");
    expect(mayMatch(`well ${word} then`)).toBe(matcher.hasMatch(`well ${word} then`));
  },
);
