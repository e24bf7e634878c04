import { expect, it } from "vitest";
import type { Steps } from "../../src/domain/step-budget.ts";
import { matchTerms } from "../../src/domain/term-match.ts";

// Lists that are made so that a text which is made for them takes as long as can be.

const TEXT = "a ".repeat(50_000);
const nested = (end: string): string[] =>
  Array.from({ length: 90 }, (_, at) => `${"a ".repeat(at + 1)}${end}`.trim());

const policy = (lists: { block?: string[]; allow?: string[]; spam?: string[] }) => ({
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
