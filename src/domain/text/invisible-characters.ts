/**
 * Invisible characters, as the inside of a class of an expression: controls, soft hyphens, joiners,
 * zero-width and bidirectional marks, fillers, variation selectors, and tags, in which a text can be hidden.
 * White space among the controls must be excluded by the user of the class, since a reader sees it.
 */
export const UNSEEN = "\\p{Default_Ignorable_Code_Point}\\p{Cc}\\u{FFF9}-\\u{FFFB}";

const UNSEEN_CHARACTER = new RegExp(`(?![\\t\\n])[${UNSEEN}]`, "gu");

// A reader sees each of these as white space. Without them, "Buy\rnow" would become one word.
const LINE_BREAK = /\r\n?|[\v\f\u{85}\u{2028}\u{2029}]/gu;

/**
 * The text with one kind of line break and without characters that a reader cannot see but a matcher or a
 * tokenizer can. Never longer.
 */
export const withoutUnseen = (text: string): string =>
  text.replace(LINE_BREAK, "\n").replace(UNSEEN_CHARACTER, "");
