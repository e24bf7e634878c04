import { type Sentiment, SENTIMENTS } from "./results.ts";

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
