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

describe("a long text", () => {
  /** Some vanish in the plain form, some are another sign there, some have two units. */
  const BETWEEN = ["  \n ", "\u00ad ", " \u201c\u200b", " \u{1f600} ", " \u0130 ", "\u2014", "\t"];
  const names = Array.from({ length: 900 }, (_, at) => `Name${at}x\u200by`);
  const text = names.map((name, at) => `${name}${BETWEEN[at % BETWEEN.length]}`).join("");
  const long = new TextIndex(text);

  it("has each name at its place", () => {
    for (const name of names) {
      const start = text.indexOf(name);
      expect(long.findName(name.toUpperCase(), 2)).toEqual([{ start, end: start + name.length }]);
    }
  });

  it("has its numbers, and no others", () => {
    const numbers = new TextIndex(Array.from({ length: 20_000 }, (_, at) => at * 3).join("; "));
    const found = Array.from({ length: 600 }, (_, at) => at * 101).filter((number) =>
      numbers.hasNumber(String(number)),
    );
    expect(found).toEqual(
      Array.from({ length: 199 }, (_, at) => at * 303).filter((n) => n < 60_000),
    );
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

const MEETING =
  new TextIndex(`Dear Tom Miller, the budget meeting of the project is on 2026-12-03 at 14:30.
The contract with Blue Harbour Ltd costs 12,500 EUR, or 4.9 percent of 277 800 EUR, since 3.5.2024 and 7/1/2025.
Please send the signed contract to Anna Weber, our manager, by Friday. Schmidt, Eva was ill; the rent was not paid.`);

describe("a number of a statement", () => {
  it.each([
    "Tom pays 12,500 EUR.",
    "Tom pays 12500 EUR or 12.500 EUR or 12 500 EUR or 12\u202f500 EUR.",
    "It is 4.9 percent, or 4,90 percent, of 277800 EUR.",
    "It began in 2024, on the 3rd.",
    "The meeting of 2026-12-03 is at 14:30, or 14:30.",
  ])("is in the text: %j", (statement) => {
    expect(isInText(statement, MEETING)).toBe(true);
  });

  it.each([
    "Tom pays 500 EUR.",
    "Anna paid 12 and 500.",
    "Tom pays 125 EUR.",
    "It is 9 percent.",
    "It is 49 percent.",
    "It was on 2026-12-30.",
    "It was on 2024-12-03.",
    "It was at 12:30.",
  ])("is not: %j", (statement) => {
    expect(isInText(statement, MEETING)).toBe(false);
  });

  it("may be the day of a time", () => {
    const log = new TextIndex("It ended at 2026-12-03T14:30:00Z.");
    expect(isInText("It ended on 2026-12-03 at 14:30.", log)).toBe(true);
    expect(isInText("It ended at 4:30.", log)).toBe(false);
  });

  it("may stand beside another one", () => {
    const rooms = new TextIndex("In room 12 500 people met, and 13\u00a0700 wrote.");
    expect(["12 500", "500", "12", "13700"].every((one) => isInText(`It is ${one}.`, rooms))).toBe(
      true,
    );
    expect(isInText("It is 700.", rooms)).toBe(false);
  });
});

describe("a name of a statement", () => {
  it.each([
    "Anna Weber gets the contract.",
    "Weber gets the contract, and Tom a meeting.",
    "On Friday Anna Weber gets the contract.",
    "In December Tom Miller meets Ms. Weber and Dr. Anna Weber.",
    "Manager Anna Weber gets the Contract.",
    "However, Blue Harbour is paid by Tom Miller's project.",
    "Eva Schmidt was ill. The Blue Harbour Ltd. was not.",
    "Send signed papers to Anna.",
    "Mail the contract to Anna Weber.",
    "Payments to Blue Harbour Ltd are due. Nothing was paid in EUR.",
    "Budgets were the topic: A meeting was held.",
    "Rent is missing. Everybody waits.",
    "We see a budget meeting with Tom's \u201cBlue Harbour\u201d.",
    "The Budget Meeting is in December.",
    "Der Vertrag mit Blue Harbour Ltd kostet 12.500 EUR, und die Miete ist offen.",
    "Le contrat est avec Blue Harbour Ltd.",
  ])("is in the text: %j", (statement) => {
    expect(isInText(statement, MEETING)).toBe(true);
  });

  it.each([
    "It was approved by Mallory Weber.",
    "Mallory Weber approved it.",
    "Anna Miller approved it.",
    "It was approved by Anna Miller.",
    "It was approved by Mallory.",
    "Mallory owns the workshop.",
    "It was approved. Mallory paid.",
    "Yesterday Anna Miller paid.",
    "Manager Tom Weber gets the contract.",
    "It was approved by Dr. Anna Miller.",
    "The Red Harbour Ltd is paid.",
    "It was sent to Anna Weber on Monday.",
    "The meeting is in October.",
    "Der Vertrag ist mit Mallory Weber.",
  ])("is not: %j", (statement) => {
    expect(isInText(statement, MEETING)).toBe(false);
  });

  it("is each noun in German, if it is to be strict", () => {
    const statement = "Der Vertrag ist mit Mallory.";
    expect(isInText(statement, MEETING)).toBe(true);
    expect(isInText(statement, MEETING, true)).toBe(false);
  });
});
