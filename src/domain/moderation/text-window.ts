import { tokensAtMost } from "../generation/token-bound.ts";

// Text is never truncated: it is read in windows that overlap, so that a phrase on a seam is whole in one of
// them. Text beyond the last window is not read, and the caller learns that.

export interface Windowing {
  /** The most tokens in a window, counted by `measure`. */
  readonly tokens: number;
  /** The most tokens that two neighbours share. */
  readonly overlap: number;
  readonly windows: number;
}

/** distilbert reads 512 tokens, two of which are its own. Each window is a paid engine call. */
export const SENTIMENT_WINDOWS: Windowing = { tokens: 510, overlap: 40, windows: 8 };

/**
 * A judge misses details in the middle of a long text; on the other hand, every window pays for the prompt
 * again.
 */
export const JUDGE_WINDOWS: Windowing = { tokens: 12_000, overlap: 200, windows: 20 };

export interface TextWindow {
  readonly text: string;
  /** The most tokens, by `measure`. */
  readonly tokens: number;
}

export interface WindowedText {
  readonly windows: readonly TextWindow[];
  /** False when the text continues beyond the last window. */
  readonly complete: boolean;
}

export function splitText(
  text: string,
  { tokens, overlap, windows: most }: Windowing,
  measure: (text: string) => number = tokensAtMost,
): WindowedText {
  const whole = measure(text);
  if (whole <= tokens) return { windows: [{ text, tokens: whole }], complete: true };
  const windows: TextWindow[] = [];
  let start = 0;
  while (start < text.length && windows.length < most) {
    const end = longestPrefix(text, start, tokens, measure);
    const slice = text.slice(start, end);
    windows.push({ text: slice, tokens: measure(slice) });
    if (end >= text.length) return { windows, complete: true };
    start = overlapStart(text, { start, end }, overlap, measure);
  }
  return { windows, complete: false };
}

/** Guesses from earlier measures, before a bisection of the rest. */
const GUESSES = 6;

const halfway = (low: number, high: number): number => Math.ceil((low + high) / 2);

/**
 * The end of the longest slice from `start` of at most `tokens` tokens, at the end of a word if one is near.
 */
function longestPrefix(
  text: string,
  start: number,
  tokens: number,
  measure: (text: string) => number,
): number {
  let low = start + 1;
  let high = Math.min(text.length, start + tokens);
  // Most texts have about the same density of tokens everywhere, so the first guess is the expected end and
  // the next ones are near it. (Each measure reads a whole window, and windows are made before admission.)
  let guess = high;
  for (let looks = 0; low < high; looks += 1) {
    const end = looks < GUESSES ? Math.min(high, Math.max(low + 1, guess)) : halfway(low, high);
    const measured = measure(text.slice(start, end));
    if (measured <= tokens) low = end;
    else high = end - 1;
    const fitting = start + Math.floor(((end - start) * tokens) / Math.max(1, measured));
    guess = measured <= tokens ? Math.max(fitting, end + 1) : Math.min(fitting, end - 1);
  }
  const end = low >= text.length ? text.length : low;
  if (end === text.length) return end;
  // Only the window is searched: a text may have no space at all.
  const space = start + text.slice(start, end + 1).lastIndexOf(" ");
  return space > start + (end - start) / 2 ? space : wholeCharacter(text, end, start);
}

/** The start of the next window: at most `overlap` tokens back, at the start of a word if there is one. */
function overlapStart(
  text: string,
  window: { readonly start: number; readonly end: number },
  overlap: number,
  measure: (text: string) => number,
): number {
  const { start, end } = window;
  let low = Math.max(start + 1, end - overlap);
  let high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (measure(text.slice(middle, end)) <= overlap) high = middle;
    else low = middle + 1;
  }
  const space = text.slice(low, end).indexOf(" ");
  if (space >= 0) return low + space + 1;
  return splitsPair(text, low) ? low + 1 : low;
}

/** Never between the halves of a surrogate pair. */
function wholeCharacter(text: string, at: number, start: number): number {
  return splitsPair(text, at) && at - 1 > start ? at - 1 : at;
}

/** An unpaired surrogate is a character of its own. */
const splitsPair = (text: string, at: number): boolean => (text.codePointAt(at - 1) ?? 0) > 0xffff;

// A text in its sentences, each as plain text, so that the small model scores each by itself. Ten friendly
// sentences around one insult hide it from a model that reads them together, and a text that manipulates a
// judge contains such sentences.

/** The most sentences that are scored, from the start and the end: each takes a third of a millisecond. */
export const MOST_PIECES = 48;

/** UTF-16 units of a sentence. Longer ones are cut; the windows read the rest. */
const MOST_UNITS = 600;

/** Tags, the quotes and braces between the fields of JSON, and those of a program's strings. */
const FRAMES =
  /<[^<>]{1,80}>|"\s{0,4}[:,]\s{0,4}"|"\s{0,4}[}\]]|[{[]\s{0,4}"|[=(]\s{0,4}["'`]|["'`]\s{0,4}[;)]/gu;

/** Characters that replace a space. */
const SPACES = /(?:_|[^\S\n]|[\p{Extended_Pictographic}\u{FE0F}])+/gu;

/** Empty when the text is one plain sentence: it was already read as that. */
export function piecesOf(text: string): string[] {
  const all = text
    .replace(/\r\n?/g, "\n")
    .replaceAll(FRAMES, "\n")
    .replaceAll(SPACES, " ")
    .split(/(?<=[.!?:;])\s+|\n+/u)
    .map((piece) => piece.trim().slice(0, MOST_UNITS))
    .filter((piece) => piece.length > 2);
  // Repeats count once, so that a hundred of them cannot push out the last sentence.
  const pieces = [...new Set(all)];
  if (pieces.length === 1 && pieces[0] === text.trim()) return [];
  if (pieces.length <= MOST_PIECES) return pieces;
  return [...pieces.slice(0, MOST_PIECES / 2), ...pieces.slice(-MOST_PIECES / 2)];
}
