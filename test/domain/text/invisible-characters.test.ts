import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutUnseen } from "../../../src/domain/text/normalise.ts";

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
