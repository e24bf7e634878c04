import { describe, expect, it } from "vitest";
import { isInText } from "../../../src/domain/documents/check-statement.ts";
import { TextIndex } from "../../../src/domain/documents/text-index.ts";

const TEXT = `Anna Weber paid 1,234.50 EUR to the Blue Harbour Ltd on 3 May 2026.
\u201cWe shall  deliver on\ntime\u201d, she wrote from anna@example.com. Three people came.`;

const index = new TextIndex(TEXT);

describe("a quotation", () => {
  it.each([
    ["We shall deliver on time", "We shall  deliver on\ntime"],
    ['"we SHALL deliver on time"', "We shall  deliver on\ntime"],
    ["to the blue harbour ltd", "to the Blue Harbour Ltd"],
  ])("is found as the text has it: %j", (quote, expected) => {
    const span = index.findQuote(quote);
    expect(TEXT.slice(span?.start, span?.end)).toBe(expected);
  });

  it.each(["We shall not deliver", "the", "", "   ", '"""'])("is not found: %j", (quote) => {
    expect(index.findQuote(quote)).toBeNull();
  });

  it("keeps its place behind characters of two units and invisible ones", () => {
    const text = "\u{1f600} \u00adin\u200b\u{1d400} a longer sentence here";
    const span = new TextIndex(text).findQuote("a longer sentence");
    expect(text.slice(span?.start, span?.end)).toBe("a longer sentence");
  });
});

describe("a name", () => {
  it("is found as a whole word only", () => {
    const names = new TextIndex("Annabel met Anna. Anna left.");
    expect(names.findName("Anna", 5)).toEqual([
      { start: 12, end: 16 },
      { start: 18, end: 22 },
    ]);
    expect(names.hasName("nna")).toBe(false);
    expect(new TextIndex("東京に行きました").hasName("東京")).toBe(true);
  });
});

describe("a statement", () => {
  it.each([
    "Anna Weber paid 1234.5 EUR.",
    "The Blue Harbour Ltd got 1.234,50 EUR in 2026.",
    "3 people came.",
    'She wrote "we shall deliver on time".',
    "Her address is anna@example.com.",
    "A payment was made on time.",
  ])("is in the text: %j", (statement) => {
    expect(isInText(statement, index)).toBe(true);
  });

  it.each([
    "Anna Weber paid 1,235 EUR.",
    "4 people came.",
    "Anna Smith paid.",
    "The Red Harbour Ltd was paid.",
    'She wrote "we shall never deliver anything".',
    "Her address is eve@example.com.",
    "See https://evil.example/pay for it.",
  ])("is not: %j", (statement) => {
    expect(isInText(statement, index)).toBe(false);
  });
});
