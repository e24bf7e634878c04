import { latinCapital, latinLetter } from "./lookalikes.ts";
import { shown } from "./normalise.ts";

// A text as a reader is meant to read it: without invisible characters, in plain forms of its characters, and
// with the letters of one script in each word.

const WORD = /\p{L}[\p{L}\p{M}\p{N}]*/gu;
const LATIN = /[A-Za-z]/;
const NOT_LATIN = /(?!\p{Script=Latin})\p{L}/gu;

/** Its case and accents stay. A word of Latin letters and lookalikes of another script becomes Latin. */
export const plainText = (text: string, lines: "joined" | "kept" = "joined"): string =>
  shown(text, lines).replaceAll(WORD, (word) =>
    LATIN.test(word) ? word.replaceAll(NOT_LATIN, inLatin) : word,
  );

function inLatin(letter: string): string {
  const small = letter.toLowerCase();
  const latin = latinCapital(letter) ?? latinLetter(small);
  if (latin === undefined) return letter;
  return small === letter ? latin : latin.toUpperCase();
}

const FOREIGN_LETTER = /[\p{L}--\p{ASCII}]/gv;

/** A text in its normal form for a reader of English only: every letter that can be Latin is Latin. */
export const readAsLatin = (normal: string): string =>
  normal.replaceAll(FOREIGN_LETTER, (letter) => latinLetter(letter) ?? letter);
