import { GAP, type Letters, type Reading } from "./letters.ts";

// Whether letters that are those of a term are a word, by what stands between them and what they are
// written with.

/** A number is no word, nor is a name of a thing such as "A55": two characters are no digits. */
const FEWEST_NO_DIGITS = 2;

/** Whether a reading says anything new of the letters from `first` on, as far as a term reaches. */
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

/** Of a word with stars at least a third can be read. */
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

/** Of a word that a part stands in; a longer one is none. */
const LONGEST_WORD = 40;

/** Whether the word around is one: it has more letters than digits and signs, unlike a key or a price. */
export function isWithinWord(letters: Letters, first: number, next: number): boolean {
  let from = first;
  while (from > 0 && letters.gaps[from] === GAP.none && first - from < LONGEST_WORD) from -= 1;
  let to = next;
  while (to < letters.length && letters.gaps[to] === GAP.none && to - next < LONGEST_WORD) to += 1;
  const between = (counts: Int32Array): number => (counts[to] ?? 0) - (counts[from] ?? 0);
  return to - from > 2 * (between(letters.digits) + between(letters.signs));
}

/** A shorter word is found in many others that are spelled out: "c l a s s". */
const LONG = 5;

/**
 * Whether what stands between the letters leaves them one word: every one apart, or pieces that signs
 * join; and spaces where the term has some.
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
