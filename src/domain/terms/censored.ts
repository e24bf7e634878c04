// Words with stars in place of some letters: "f**k". A star is a letter only within a word. Stars around a
// word are emphasis, and so are stars that close what equal ones before it opened ("**not**ice"). A starred
// word matches a term of the same length with the same first and last letter and the same readable letters.

/** Marks a star in the place of a letter. */
export const CENSORED = 0x40000;

/** The unit that stands for the hidden letter: it is no letter itself. */
export const STAR = 0x2a;

/** More stars are a drawn line. */
const MOST_STARS = 12;

/** Asterisks, and other characters that hide a letter. */
const BLOTS = "[*∗⁎✱✳•●■█▒░]";

const LETTERS = "[\\p{L}\\p{M}\\p{N}@$!|+]";
const STARRED = new RegExp(
  `(${BLOTS}{0,${MOST_STARS}})(\\p{L}${LETTERS}{0,40}(?:${BLOTS}{1,${MOST_STARS}}${LETTERS}{1,40})+)`,
  "gu",
);
const STARS = new RegExp(`${BLOTS}+`, "g");
const WITHIN = new RegExp(`${LETTERS}${BLOTS}+${LETTERS}`, "u");

/** Whether there may be a star within a word. */
export const hasCensored = (line: string): boolean => WITHIN.test(line);

/** The marked stars, by their unit in the line; 0 elsewhere. */
export function censoredIn(line: string): Int32Array {
  const stars = new Int32Array(line.length);
  for (const { index, 1: before = "", 2: word = "" } of line.matchAll(STARRED)) {
    const start = index + before.length;
    if (isProduct(line, start, word)) continue;
    const isWhole = line.startsWith(before, start + word.length);
    for (const { index: within, 0: run } of word.matchAll(STARS)) {
      if (run === before && !isWhole) break;
      stars.fill(STAR + CENSORED, start + within, start + within + run.length);
    }
  }
  return stars;
}

/** "a*b = 3", "x**y": one letter on each side, in a formula. */
const PRODUCT = new RegExp(`^\\p{L}${BLOTS}{1,2}\\p{L}$`, "u");
const SUM_BEFORE = /[\d=+/^<>][ (]{0,2}$/;
const SUM_BEHIND = /^[ )]{0,2}[\d=+/^<>]/;

const isProduct = (line: string, start: number, word: string): boolean =>
  PRODUCT.test(word) &&
  (SUM_BEFORE.test(line.slice(Math.max(0, start - 3), start)) ||
    SUM_BEHIND.test(line.slice(start + word.length, start + word.length + 3)));
