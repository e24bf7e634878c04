import { type Sentiment, SENTIMENTS } from "./results.ts";

interface Label {
  readonly name: string;
  readonly score: number;
}

/**
 * How positive a classifier finds a text, 0 to 1: 0.5 if both labels have the same score. Null: the labels
 * are not those of a sentiment.
 */
export function positiveOf(labels: readonly Label[]): number | null {
  const scoreOf = (label: string) =>
    labels.find(({ name }) => name.toUpperCase() === label)?.score ?? null;
  const negative = scoreOf("NEGATIVE");
  if (negative === null) return null;
  const positive = scoreOf("POSITIVE") ?? 1 - negative;
  return (1 + positive - negative) / 2;
}

/** How positive the windows of a text are, each 0 to 1, as one of five steps. */
export function sentimentOf(
  windows: readonly { readonly positive: number; readonly tokens: number }[],
): Sentiment | null {
  const tokens = windows.reduce((total, window) => total + window.tokens, 0);
  if (tokens === 0) return null;
  const sum = windows.reduce((total, { positive, tokens: many }) => total + positive * many, 0);
  const score = Math.round((sum / tokens) * 1000) / 1000;
  // Where each step ends.
  const at = [0.15, 0.4, 0.6, 0.85].findIndex((end) => score < end);
  return { label: SENTIMENTS[at < 0 ? SENTIMENTS.length - 1 : at] ?? "neutral", score };
}
