import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compactText } from "../../../src/domain/text/compact-text.ts";

describe("what goes", () => {
  it.each([
    ["a  b\t\tc \t d", "a b c d"],
    ["a\tb", "a b"],
    ["a  \nb\t\r\nc\r", "a\nb\nc"],
    ["a\n\n\n\nb\n \t\n\nc", "a\n\nb\n\nc"],
    ["\n\n  \na\n\n", "a"],
    ["a \n", "a"],
    ["  - item   one\n  - item   two", "  - item one\n  - item two"],
    ['say "hi"  to   them', 'say "hi" to them'],
    ['5"  and   so', '5" and so'],
    ["``a  `  b", "``a ` b"],
    ["   \n\t\n", ""],
  ])("%j becomes %j", (before, after) => {
    expect(compactText(before)).toBe(after);
  });
});

describe("what stays", () => {
  it.each([
    "",
    "one line, nothing to do",
    "```\na  b\n\n\n\n  c  \n```",
    "~~~py\nx  =  1\n```\n  still  \n~~~",
    "````\n```\na  b\n```\n````",
    "text\n\n    code  with   blanks  \n\n\n    more  code\n\ntext",
    "\tcode  here",
    "use `a  b` and ``c  `  d`` here",
    '{"key":  "two  spaces",  "n": 1}'.replace(/: {2}|, {2}/g, (part) => part.trimEnd() + " "),
    'an "escaped \\"  quote  " ends',
    "a\u00a0\u00a0b\u3000\u3000c",
    "```\nopen  fence   \n\n\n",
    "a\n\nb",
  ])("%j", (text) => {
    expect(compactText(text)).toBe(text);
  });

  it("is the code, however it is surrounded", () => {
    const code = "```js\nif (a  &&  b) {\n\n\n\tgo( );  \n}\n```";
    expect(compactText(`see   this:\n\n\n\n${code}\n\n\n\nand   that`)).toBe(
      `see this:\n\n${code}\n\nand that`,
    );
  });
});

/** Texts of what matters here: blanks, fences, quotes, backticks and words between. */
const pieces = fc.constantFrom(
  " ",
  "  ",
  "\t",
  "\n",
  "\n\n\n",
  "\r\n",
  "`",
  "``",
  "```",
  "~~~",
  '"',
  "\\",
  "    ",
  "a",
  "word",
  "\u00a0",
);
const anyText = fc.oneof(
  fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 80 }),
);

const MANY = { numRuns: 3000 };
const tokens = (text: string) => text.split(/[ \t]+|\n/).filter((word) => word !== "");
const filled = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
const words = (text: string): string => text.replace(/[ \t\r\n]+/g, "");

describe("for any text", () => {
  it("a second time changes nothing", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = compactText(text);
        expect(compactText(once)).toBe(once);
      }),
      MANY,
    );
  });

  it("only blanks go, never more than there were", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const compacted = compactText(text);
        expect(words(compacted)).toBe(words(text));
        expect(compacted.length).toBeLessThanOrEqual(text.length);
      }),
      MANY,
    );
  });

  it("no two words become one, and no line loses its words to another", () => {
    const plain = fc.array(fc.constantFrom("a", "b", " ", "  ", "\t", "\n", "\n\n\n"));
    fc.assert(
      fc.property(
        plain.map((parts) => parts.join("")),
        (text) => {
          expect(tokens(compactText(text))).toEqual(tokens(text));
          expect(filled(compactText(text))).toHaveLength(filled(text).length);
        },
      ),
      MANY,
    );
  });

  it("a fenced block is in the result as it was", () => {
    const body = anyText.filter((text) => !/^ {0,3}(?:```|~~~)/m.test(text));
    fc.assert(
      fc.property(body, body, body, (before, code, after) => {
        const block = `~~~~\n${code}\n~~~~`;
        expect(compactText(`${before}\n${block}\n${after}`)).toContain(block);
      }),
      MANY,
    );
  });

  it("a quotation on a line of its own is as it was", () => {
    const json = fc.string({ unit: "binary" }).map((text) => JSON.stringify(text));
    fc.assert(
      fc.property(json, (quoted) => {
        expect(compactText(`x   ${quoted}   y`)).toBe(`x ${quoted} y`);
      }),
      MANY,
    );
  });
});

it("leaves a text of more lines than anybody writes as it is", () => {
  expect(compactText(`a${"\n".repeat(99_999)}b`)).toBe("a\n\nb");
  const long = `a${"\n".repeat(100_000)}b`;
  expect(compactText(long)).toBe(long);
});
