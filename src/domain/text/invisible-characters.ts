/**
 * What shows nothing, in a class of an expression: controls, soft hyphens, joiners, zero-width and
 * bidirectional marks, fillers, variation selectors, and tags, in which a text can be hidden. White
 * space among the controls is not: a reader sees it.
 */
export const UNSEEN = "\\p{Default_Ignorable_Code_Point}\\p{Cc}\\u{FFF9}-\\u{FFFB}";

const UNSEEN_CHARACTER = new RegExp(`(?![\\t\\n])[${UNSEEN}]`, "gu");

// Each is white space to a reader. Were it taken out, "Buy\rnow" would be one word.
const LINE_BREAK = /\r\n?|[\v\f\u{85}\u{2028}\u{2029}]/gu;

/**
 * The text, its line breaks of one kind, without what a reader cannot see but a matcher or a tokenizer
 * can. Never longer.
 */
export const withoutUnseen = (text: string): string =>
  text.replace(LINE_BREAK, "\n").replace(UNSEEN_CHARACTER, "");
