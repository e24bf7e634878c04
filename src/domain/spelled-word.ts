import { GAP, type Letters, type Reading } from "./letters.ts";

// Whether letters that are those of a term are a word, by what stands between them and what they are
// written with.

/** A number is no word, nor is a name of a thing such as "A55": two characters are no digits. */
const FEWEST_NO_DIGITS = 2;

export function mayStand(letters: Letters, first: number, next: number, reading: Reading): boolean {
  if (reading === "written") return true;
  const between = (counts: Int32Array): number => (counts[next] ?? 0) - (counts[first] ?? 0);
  const withoutDigits = next - first - between(letters.digits);
  return (
    between(letters.disguised) > 0 &&
    withoutDigits >= FEWEST_NO_DIGITS &&
    withoutDigits > between(letters.signs)
  );
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
