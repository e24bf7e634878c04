import type { Token } from "./token.ts";

/** UTF-16 units of the original text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** More spans would explain nothing. */
const MOST_SPANS = 5;

/** A token counts if its share is at least this part of the highest. */
const SHARE = 0.4;

/** The places of the tokens with the highest shares, neighbours joined, in the order of the text. */
export function spansOf(tokens: readonly Token[], shares: readonly number[]): Span[] {
  const highest = shares.reduce((most, share) => Math.max(most, share), 0);
  if (highest <= 0) return [];
  const strong = [...shares.keys()]
    .filter((at) => (shares[at] ?? 0) >= SHARE * highest)
    .toSorted((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0))
    .slice(0, MOST_SPANS)
    .toSorted((a, b) => a - b);
  const spans: Span[] = [];
  let before = -2;
  for (const at of strong) {
    const token = tokens[at];
    if (token === undefined) continue;
    const last = spans.at(-1);
    if (last !== undefined && at === before + 1) {
      spans[spans.length - 1] = { start: last.start, end: token.end };
    } else spans.push({ start: token.start, end: token.end });
    before = at;
  }
  return spans;
}
