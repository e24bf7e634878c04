import { GAP, type Letters, type Reading } from "./letters.ts";

// Whether matched letters are a word, by the gaps between them and by how they are written.

/** A number is no word, and neither is a name such as "A55": at least two characters must not be digits. */
const FEWEST_NO_DIGITS = 2;

/**
 * Whether a reading differs from the written text in the letters from `first` on, within the longest term.
 */
export function mayBegin(
  letters: Letters,
  first: number,
  longest: number,
  reading: Reading,
): boolean {
  if (reading === "written") return true;
  const counts = reading === "censored" ? letters.censored : letters.disguised;
  const end = Math.min(letters.length, first + longest);
  return (counts[end] ?? 0) > (counts[first] ?? 0);
}

/** At least a third of a word with stars must be readable. */
const MOST_STARS = 2 / 3;

export function mayStand(letters: Letters, first: number, next: number, reading: Reading): boolean {
  if (reading === "written") return true;
  const between = (counts: Int32Array): number => (counts[next] ?? 0) - (counts[first] ?? 0);
  const stars = between(letters.censored);
  if ((reading === "censored") !== stars > 0 || stars > MOST_STARS * (next - first)) return false;
  const withoutDigits = next - first - stars - between(letters.digits);
  return (
    between(letters.disguised) > 0 &&
    withoutDigits >= FEWEST_NO_DIGITS &&
    withoutDigits > between(letters.signs)
  );
}

/** Letters of the word around a part; a longer run is not a word. */
const LONGEST_WORD = 40;

/**
 * Whether the letters around a part are a word: a word has more letters than digits and signs, unlike a key
 * or a price.
 */
export function isWithinWord(letters: Letters, first: number, next: number): boolean {
  let from = first;
  while (from > 0 && letters.gaps[from] === GAP.none && first - from < LONGEST_WORD) from -= 1;
  let to = next;
  while (to < letters.length && letters.gaps[to] === GAP.none && to - next < LONGEST_WORD) to += 1;
  const between = (counts: Int32Array): number => (counts[to] ?? 0) - (counts[from] ?? 0);
  return to - from > 2 * (between(letters.digits) + between(letters.signs));
}

/** A shorter word is found in many longer ones that are spelled out: "c l a s s". */
const LONG = 5;

/**
 * Whether the gaps leave the letters one word: all letters apart, or parts joined by signs, with spaces where
 * the term has some.
 */
export function isSpelled(
  { gaps, gapLengths, length }: Letters,
  first: number,
  next: number,
  wanted: Uint8Array | null,
): boolean {
  let apart = true;
  let joined = true;
  let widest = 0;
  for (let at = first + 1; at < next; at += 1) {
    const gap = gaps[at];
    if (gap === GAP.none) apart = false;
    if (!fits(gap, wanted?.[at - first] ?? GAP.none)) joined = false;
    widest = Math.max(widest, gapLengths[at] ?? 0);
  }
  if (joined) return true;
  if (!apart) return false;
  if (next - first >= LONG) return true;
  const isLoose = (at: number, beyond: number): boolean =>
    gaps[at] === GAP.end ||
    (gapLengths[at] ?? 0) > widest ||
    (beyond < length && gaps[beyond] === GAP.none);
  const opens = first === 0 || isLoose(first, first === 1 ? first : first - 1);
  const closes = next >= length || isLoose(next, next + 1);
  return opens && closes;
}

function fits(gap: number | undefined, wanted: number): boolean {
  if (gap === GAP.none) return wanted !== GAP.space;
  if (gap === GAP.sign) return true;
  return gap === GAP.space && wanted !== GAP.none;
}
