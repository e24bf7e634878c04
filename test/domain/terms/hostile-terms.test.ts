import { expect, it } from "vitest";
import type { Steps, Term } from "../../../src/domain/terms/term.ts";
import { matchTerms } from "../../../src/domain/terms/term-match.ts";
import { cpuMsOf } from "../cpu-ms.ts";

// Lists that are made so that a text which is made for them takes as long as can be.

const TEXT = "a ".repeat(50_000);
const nested = (end: string): string[] =>
  Array.from({ length: 90 }, (_, at) => `${"a ".repeat(at + 1)}${end}`.trim());

const policy = (lists: { block?: Term[]; allow?: string[]; spam?: string[] }) => ({
  terms: { block: lists.block ?? [], allow: lists.allow ?? [] },
  spam_phrases: lists.spam ?? [],
});

it.each<readonly [string, { block?: string[]; allow?: string[]; spam?: string[] }]>([
  ["nearly found", { block: nested("b") }],
  ["found", { block: nested("a") }],
  ["allowed", { block: ["zyzzyva"], allow: nested("a") }],
  ["phrases", { spam: nested("b") }],
])("stops where a text takes too long: terms that are %s", (_, lists) => {
  const steps: Steps = { count: 0 };
  const found = matchTerms(TEXT, policy(lists), steps);
  expect(steps.count).toBeLessThan(3 * 13 * TEXT.length);
  // What was not compared to its end counts as found, and nothing of it as allowed.
  if (lists.block !== undefined && lists.block.length > 1)
    expect(found.blocked.length).toBeGreaterThan(0);
  if (lists.allow !== undefined) expect(found.withoutAllowed).toBeNull();
  if (lists.spam !== undefined) expect(found.spamPhrases).toBeGreaterThan(0);
});

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Two thousand words from a to b, of eight letters. */
const WORDS = Array.from({ length: 2000 }, (_, at) => {
  const middle = [3, 4, 5, 6, 7, 8].map((step) => LETTERS[(at * step + (at >> step)) % 26] ?? "a");
  return `a${middle.join("")}b`;
});

it.each([
  ["most of each word", "a******b "],
  ["some of each word", "ab**e**b "],
  ["words without an end", `a${"*".repeat(12)}`],
  ["every other letter", "a*"],
  ["before each letter", "█a"],
])("looks no further where stars hide %s", (_, part) => {
  const text = part.repeat(90_000 / part.length);
  const steps: Steps = { count: 0 };
  matchTerms(text, policy({ block: WORDS }), steps);
  expect(steps.count).toBeLessThan(13 * text.length);
});

// Composing a letter sorts its marks, in the square of their number.
it.each<readonly [string, (marks: string) => string, Term]>([
  ["of an exact term", (marks) => `a${marks}`, { term: "a", match: "exact" }],
  ["of a word", (marks) => `a${marks}`, { term: "a", match: "word" }],
  ["of a capital that looks like another letter", (marks) => `c\u0397${marks}at`, "chat"],
])("takes no longer for a letter with 200,000 marks: %s", async (_, around, term) => {
  const text = around("\u0316\u0301".repeat(100_000));
  expect(await cpuMsOf(() => matchTerms(text, policy({ block: [term] })))).toBeLessThan(1000);
});
