import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonTextTokens, jsonTokens } from "../../../src/domain/generation/json-bound.ts";
import { tokensAtMost } from "../../../src/domain/generation/token-bound.ts";

/** By writing it: what the bound says without. */
function written(value: unknown): number {
  const json = JSON.stringify(value, null, 4);
  const escaped = Array.from({ length: json.length }, (_, at) => json.charCodeAt(at)).filter(
    (unit) => unit >= 0x7f || "<>&'".includes(String.fromCharCode(unit)),
  ).length;
  return Math.max(tokensAtMost(json), json.length + 5 * escaped);
}

/** As it is where it stands: on lines of its own, two deep. */
const inside = (value: unknown): number => written([[value]]) - written([[0]]) + 1;

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

const LETTERS = ["\ufdfa", "é", "<", "\u0000", "\ud800", "\ud83e\udd9c", '"', "\\", "a", "\u0338"];
const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: 12 }).map((all) => all.join(""));
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
  ),
})).value;

/** JSON says the same with its letters escaped. */
const escapedJson = (json: string): string =>
  json.replace(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

describe("JSON on several lines", () => {
  it("is as long as it would be if it were written", () => {
    fc.assert(
      fc.property(value, (each) => {
        const [bound, is] = [jsonTokens(each), written(each)];
        expect(bound).toBeGreaterThanOrEqual(is);
        // Numbers with an exponent may be written out.
        if (!/\de/i.test(JSON.stringify(each))) expect(bound).toBe(is);
      }),
      { numRuns: 2000 },
    );
  });

  it("is no longer than the bound, however its text was written", () => {
    fc.assert(
      fc.property(value, fc.boolean(), fc.integer({ min: 0, max: 3 }), (each, escape, indent) => {
        const json = JSON.stringify(each, null, indent);
        const tokens = jsonTextTokens(escape ? escapedJson(json) : json, 2);
        expect(tokens).toBeGreaterThanOrEqual(inside(each));
      }),
      { numRuns: 2000 },
    );
  });

  it.each(["1e20", "-2.5E+19", "[1e0,1e1]", '"\\ufdfa\\\\ufdfa"', "[ [ ] ,\t{ }\n]", " 1 "])(
    "is bounded where it is longer than %s",
    (json) => {
      expect(jsonTextTokens(json, 2)).toBeGreaterThanOrEqual(inside(JSON.parse(json)));
    },
  );

  it.each(["[", "]", "[]]", "{]}[", '"', '["\\"]', "[[]"])("is not where %s stands", (json) => {
    expect(jsonTextTokens(json, 2)).toBeNull();
  });

  it("is a number whatever its depth: nothing is written", () => {
    // Each level has a line of its own, in and out, but the innermost.
    const depth = 1_000_000;
    const lines = 2 * depth - 2;
    const indents = 4 * (depth - 1) ** 2;
    expect(jsonTextTokens(nested(depth), 0)).toBe(2 * depth + lines + indents);
  });
});
