// What an apostrophe between letters does to words. It may
//
// - separate a word from its ending: "AI's", "AI'nin", "we'll";
// - separate a word that lost its end from the next one: "j'ai", "l'idiot", "dell'idiota";
// - be a letter of a word: "don't", Ukrainian "сім'я".
//
// The characters do not tell which of the first two it is. So a term of three letters or more is found
// on both sides of it. A shorter term is found before it, but never after it, where endings and the
// rests of words are ("j'ai" is not "AI", "we're" is not "RE"). A short word of those that lose their
// end is found before it only with an English ending: "UN's", not "un'altra".
//
// All this is about Latin, Greek and Cyrillic letters: elsewhere the apostrophe is a quotation mark.

const APOSTROPHE = "'";

/**
 * Where an apostrophe is a letter of a word, in a line in its normal form: before the "t" of a negation, and
 * before the vowels of Ukrainian and Belarusian that it separates ("сім'я", "аб'ект").
 */
const WITHIN_WORD = /(?<=n)'(?=t(?![\p{L}\p{N}]))|(?<=\p{Script=Cyrillic})'(?=[яюєіе])/gu;

export function* apostrophesWithinWords(line: string): Generator<number> {
  if (!line.includes(APOSTROPHE)) return;
  for (const { index } of line.matchAll(WITHIN_WORD)) yield index;
}

const LONGEST_SHORT_TERM = 2;

/**
 * Words that lose their end: French, Catalan, Italian, Irish, Greek; then English beginnings: "o'clock",
 * "y'all", "ma'am".
 */
const LOSES_ITS_END: ReadonlySet<string> = new Set(
  "c ch d gl j l m n qu s t un v b δ θ κ κι μ ν σ τ απ γι e ma ne o po y".split(" "),
);

/** The English ending that every word can have. */
const POSSESSIVE = /^'s(?![\p{L}\p{N}])/u;

const LETTER = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]$/u;

const isLetter = (character: string | undefined): boolean =>
  character !== undefined && LETTER.test(character);

/** Whether a term from `start` to `end` of the line is a word, by the apostrophes beside it. */
export function standsByApostrophe(line: string, start: number, end: number): boolean {
  if (end - start > LONGEST_SHORT_TERM) return true;
  const follows =
    line[start - 1] === APOSTROPHE && isLetter(line[start - 2]) && isLetter(line[start]);
  if (follows) return false;
  const precedes = line[end] === APOSTROPHE && isLetter(line[end - 1]) && isLetter(line[end + 1]);
  if (!precedes || !LOSES_ITS_END.has(line.slice(start, end))) return true;
  return POSSESSIVE.test(line.slice(end, end + 3));
}
