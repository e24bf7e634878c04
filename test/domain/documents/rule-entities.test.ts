import { describe, expect, it } from "vitest";
import { MOST_ENTITIES, ruleEntities } from "../../../src/domain/documents/rule-entities.ts";

const found = (text: string) =>
  ruleEntities(text).entities.map(({ kind, value, text: written }) => [kind, value ?? written]);

describe("entities by rules", () => {
  it.each([
    ["Write to Anna.Weber+x@mail.example.co.uk.", [["email", "anna.weber+x@mail.example.co.uk"]]],
    ["No address: a@b, @c.de, x@.de", []],
    [
      "Call +49 30 1234567 or (030) 123-4567.",
      [
        ["phone", "+49301234567"],
        ["phone", "0301234567"],
      ],
    ],
    ["Order 4711 of 12 345 678 pieces, room 12.", []],
    ["On 2026-12-03, 3 December 2026 and Dec. 3rd, 2026.", [["date", "2026-12-03"]]],
    [
      "Am 3.12.2026 und am 13/12/2026.",
      [
        ["date", "2026-12-03"],
        ["date", "2026-12-13"],
      ],
    ],
    // By country it is March or April.
    ["It was 3/4/2026.", [["date", "3/4/2026"]]],
    ["Not on 2026-02-30 or 31.11.2026.", []],
    [
      "It costs $1,234.50, 12.500 EUR or 3 million euros.",
      [
        ["money", "1234.50 USD"],
        ["money", "12500 EUR"],
        ["money", "3000000 EUR"],
      ],
    ],
    [
      "CHF 99 and \u20ac7",
      [
        ["money", "99 CHF"],
        ["money", "7 EUR"],
      ],
    ],
    [
      "Pay \u20b91,00,000, 2,50,000.50 INR, $5B, $3 trillion, EUR 3,5 Milliarden or 2,5 Mio. EUR.",
      [
        ["money", "100000 INR"],
        ["money", "250000.50 INR"],
        ["money", "5000000000 USD"],
        ["money", "3000000000000 USD"],
        ["money", "3500000000 EUR"],
        ["money", "2500000 EUR"],
      ],
    ],
    [
      "It lost -$5, \u22125.20 EUR and -CHF 9. It costs $5-$10, 7-8 EUR, US$7 or R$9.",
      [
        ["money", "-5 USD"],
        ["money", "-5.20 EUR"],
        ["money", "-9 CHF"],
        ["money", "5 USD"],
        ["money", "10 USD"],
        ["money", "8 EUR"],
        ["money", "7 USD"],
        ["money", "9 BRL"],
      ],
    ],
    // Several countries have rupees, and a letter before a sign is of another currency.
    ["It is Rs 500, NZ$7 or 50 cents.", []],
    // No part of a number is an amount.
    ["It is $1,234,5678, \u20b91,0000,000, 1'00'000 CHF or $5qx.", []],
    [
      "Say '5 EUR' or $5.",
      [
        ["money", "5 EUR"],
        ["money", "5 USD"],
      ],
    ],
    ["From 192.168.10.11, invoice 2026-12-0345, 2019-2024, at 52.5200 13.4050, 10.000-12.000.", []],
    ["Written 03-12-2026 or 2026.12.03.", []],
    ["Ring 12.34.56.78.", [["phone", "12345678"]]],
    ...[
      "3. Dezember 2026",
      "3 décembre 2026",
      "3 de diciembre de 2026",
      "3 dicembre 2026",
      "3 de dezembro de 2026",
      "3 december 2026",
      "3\u00a0Dec.\u00a02026",
    ].map((date): [string, string[][]] => [`On ${date}.`, [["date", "2026-12-03"]]]),
    ["Le 1er août 2026.", [["date", "2026-08-01"]]],
    ["It rose by 5 % to 17.", []],
  ])("of %j", (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it("end before the dot of their sentence", () => {
    const { entities } = ruleEntities("It costs $3 million. They pay 2,5 Mio. EUR.");
    expect(entities.map(({ text }) => text)).toEqual(["$3 million", "2,5 Mio. EUR"]);
  });

  it("name every place once, and the same thing as one entity", () => {
    const text = "Pay 5 EUR. Again: 5 EUR, or \u20ac5, to a@b.de and A@B.de.";
    const { entities } = ruleEntities(text);
    expect(
      entities.map(({ spans }) => spans.map(({ start, end }) => text.slice(start, end))),
    ).toEqual([
      ["5 EUR", "5 EUR", "\u20ac5"],
      ["a@b.de", "A@B.de"],
    ]);
  });

  it("are at most so many, also in a table of nothing else", () => {
    const text = Array.from({ length: 3000 }, (_, at) => `user${at}@example.com`).join("\n");
    const { entities, more } = ruleEntities(text);
    expect([entities.length, more]).toEqual([MOST_ENTITIES, 3000 - MOST_ENTITIES]);
  });
});
