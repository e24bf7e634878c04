// What an apostrophe between letters does to words. It may
//
// - part a word from its ending: "AI's", "AI'nin", "we'll";
// - part a word that lost its end from the next one: "j'ai", "l'idiot", "dell'idiota";
// - be a letter of a word: "don't", Ukrainian "сім'я".
//
// Which of the first two it is, the characters do not tell. So a term of three letters and more is
// found on both of its sides. A shorter one is found before it, and never behind it, where endings
// and the rests of words stand ("j'ai" is not "AI", "we're" is not "RE"). A short word of those that
// lose their end is found before it with an English ending only: "UN's", not "un'altra".
//
// All this is of Latin, Greek and Cyrillic letters: elsewhere it is a quotation mark.

const APOSTROPHE = "'";

/**
 * Where an apostrophe in a line in its normal form is a letter of a word: before "t" of a negation, and
 * before the vowels of Ukrainian and Belarusian that it keeps apart (they write "сім'я" and "аб'ект").
 */
const WITHIN_WORD = /(?<=n)'(?=t(?![\p{L}\p{N}]))|(?<=\p{Script=Cyrillic})'(?=[яюєіе])/gu;

export function* apostrophesWithinWords(line: string): Generator<number> {
  if (!line.includes(APOSTROPHE)) return;
  for (const { index } of line.matchAll(WITHIN_WORD)) yield index;
}

const LONGEST_SHORT_TERM = 2;

/** French, Catalan, Italian, Irish, Greek; then beginnings of words: "o'clock", "y'all", "ma'am". */
const LOSES_ITS_END: ReadonlySet<string> = new Set(
  "c ch d gl j l m n qu s t un v b δ θ κ κι μ ν σ τ απ γι e ma ne o po y".split(" "),
);

/** The English ending that every word can have. */
const POSSESSIVE = /^'s(?![\p{L}\p{N}])/u;

const LETTER = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]$/u;

const isLetter = (character: string | undefined): boolean =>
  character !== undefined && LETTER.test(character);

/** Whether a term that stands in the line from `start` to `end` is a word, by the apostrophes beside it. */
export function standsByApostrophe(line: string, start: number, end: number): boolean {
  if (end - start > LONGEST_SHORT_TERM) return true;
  const follows =
    line[start - 1] === APOSTROPHE && isLetter(line[start - 2]) && isLetter(line[start]);
  if (follows) return false;
  const precedes = line[end] === APOSTROPHE && isLetter(line[end - 1]) && isLetter(line[end + 1]);
  if (!precedes || !LOSES_ITS_END.has(line.slice(start, end))) return true;
  return POSSESSIVE.test(line.slice(end, end + 3));
}
