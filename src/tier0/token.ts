/** A part of a text for the models: a word, a punctuation mark, an emoji. */
export interface Token {
  /** Its reading: `idiot` for "1d10t", `<user>`, `<url>`, `<num>`, or `e:` and a code for an emoji. */
  readonly word: string;
  /** Its row in the vocabulary; -1: it has none. */
  readonly row: number;
  /** Its place in the original text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** The words with rows of their own; words of abuse come first. */
export interface Vocabulary {
  /** -1: the word has no row. */
  rowOf(word: string): number;
  isProfane(row: number): boolean;
  /** The word of a row of abuse, for the spellings that share the row. */
  wordOf(row: number): string | null;
}

/** Whether a token is a word of a language, not a mark, an emoji or a placeholder. */
export const isWord = (word: string): boolean => {
  const first = word.charCodeAt(0);
  if (first < 0x80) return first >= 97 && first <= 122 && word.charCodeAt(1) !== 58;
  return true;
};
