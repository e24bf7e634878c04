import { describe, expect, it } from "vitest";
import { checkAnswer, parseClaims, type Source } from "../../../src/domain/search/cited-answer.ts";

const SOURCES: readonly Source[] = [
  {
    documentId: "doc_1",
    start: 100,
    text: "The lease ends on 2027-03-31.\nThe rent is 1,200 euros a month, due on the first.",
  },
  { documentId: "doc_2", start: 0, text: "Ada Lovelace signed for the tenant in London." },
];
const QUESTION = "When does the lease in London end?";

const check = (text: string, quote: string) => checkAnswer([{ text, quote }], SOURCES, QUESTION);

describe("checkAnswer", () => {
  it("gives the span of the document that a statement rests on", () => {
    const { statements, dropped } = check("It ends on 2027-03-31.", "the lease ends on 2027-03-31");
    expect(statements).toEqual([
      {
        text: "It ends on 2027-03-31.",
        citation: {
          documentId: "doc_1",
          start: 100,
          end: 128,
          quote: "The lease ends on 2027-03-31",
        },
      },
    ]);
    expect(dropped).toBe(0);
    const { start = 0, end = 0, quote } = statements[0]?.citation ?? {};
    expect(SOURCES[0]?.text.slice(start - 100, end - 100)).toBe(quote);
  });

  it("reads over line breaks, quotation marks and the case of letters", () => {
    const quote = "“…ENDS on  2027-03-31. The rent is 1,200 euros”";
    expect(check("The rent is 1,200 euros.", quote).statements).toHaveLength(1);
  });

  it("names the document whose passage has the quote", () => {
    const { statements } = check("Ada Lovelace signed.", "Ada Lovelace signed for the tenant");
    expect(statements[0]?.citation).toMatchObject({ documentId: "doc_2", start: 0, end: 34 });
  });

  it.each([
    ["a quote that no passage has", "It ends soon.", "The lease never ends at all"],
    ["a quote over two passages", "So.", "due on the first. Ada Lovelace signed"],
    ["a quote that is in any text", "It ends on 2027-03-31.", "the"],
    ["an empty quote", "It ends on 2027-03-31.", ""],
    ["a number of its own", "It ends on 2028-03-31.", "The lease ends on 2027-03-31"],
    ["a number by other digits", "The rent is 12,00 euros.", "The rent is 1,200 euros"],
    ["a name of its own", "It was signed by Charles.", "signed for the tenant in London"],
    ["a name as its first word", "Mallory owns it.", "signed for the tenant in London"],
    ["a name of two others", "Ada London signed.", "signed for the tenant in London"],
    ["a part of an amount", "The rent is 200 euros.", "The rent is 1,200 euros"],
    ["a noun of its own, in German", "Es ist der Vertrag.", "signed for the tenant in London"],
    ["nothing", "", "The lease ends on 2027-03-31"],
  ])("leaves out a statement with %s", (_, text, quote) => {
    expect(check(text, quote)).toEqual({ statements: [], dropped: 1 });
  });

  it.each([
    "Rent is 1200 euros, due on the first.",
    "Lovelace signed it.",
    "Each month it is due.",
  ])("keeps %j", (text) => {
    const all = SOURCES.map((source) => ({
      ...source,
      text: SOURCES.map((one) => one.text).join(),
    }));
    const claim = { text, quote: "The lease ends on 2027-03-31" };
    expect(checkAnswer([claim], all, QUESTION).dropped).toBe(0);
  });

  it("takes no quote as a pattern", () => {
    expect(check("It ends.", ".*lease.*ends.*on.*")).toEqual({ statements: [], dropped: 1 });
    expect(check("It ends.", "(a+)+$ ((((((lease")).toEqual({ statements: [], dropped: 1 });
  });

  it("lets a statement repeat a name of the question", () => {
    expect(check("The lease in London ends.", "The lease ends on").statements).toHaveLength(1);
  });
});

describe("parseClaims", () => {
  it("reads what keeps to the schema, and no more statements than it may have", () => {
    const one = { text: " A. ", quote: "a" };
    expect(parseClaims(JSON.stringify({ nonce: "n", statements: [one] }), "n")).toEqual([
      { text: "A.", quote: "a" },
    ]);
    const many = { nonce: "n", statements: Array.from({ length: 50 }, () => one) };
    expect(parseClaims(JSON.stringify(many), "n")).toHaveLength(6);
  });

  it.each([
    "",
    "no JSON",
    "[]",
    "null",
    "{}",
    '{"statements":[]}',
    '{"nonce":"other","statements":[]}',
    '{"nonce":"n","nonce":"n","statements":[]}',
    '{"nonce":"n","statements":{}}',
    '{"nonce":"n","statements":["a"]}',
    '{"nonce":"n","statements":[{"text":"a"}]}',
    '{"nonce":"n","statements":[{"text":"a","quote":7}]}',
  ])("reads nothing from %j", (json) => {
    expect(parseClaims(json, "n")).toBeNull();
  });
});
