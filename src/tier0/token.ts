/** Something that a text consists of for the models: a word, a mark of punctuation, an emoji. */
export interface Token {
  /** How it is read: `idiot` for "1d10t", `<user>`, `<url>`, `<num>`, `e:` and a code for an emoji. */
  readonly word: string;
  /** Its row in the vocabulary; -1 where it has none. */
  readonly row: number;
  /** Its place in the original text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** The words that have a row each; those of abuse come first. */
export interface Vocabulary {
  /** -1 where it has none. */
  rowOf(word: string): number;
  isProfane(row: number): boolean;
  /** The word of a row of abuse, which other spellings may stand for. */
  wordOf(row: number): string | null;
}

/** Tokens that stand for something which is no word of a language. */
export const isWord = (word: string): boolean => {
  const first = word.charCodeAt(0);
  if (first < 0x80) return first >= 97 && first <= 122 && word.charCodeAt(1) !== 58;
  return true;
};
