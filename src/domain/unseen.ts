// Control characters but line breaks and \t, soft hyphens, joiners, zero-width and bidirectional
// controls, invisible fillers, variation selectors, and the tag block, in which a text can be hidden.
const UNSEEN = new RegExp(
  "[\\u{0}-\\u{8}\\u{B}-\\u{1F}\\u{7F}-\\u{9F}\\u{AD}\\u{34F}\\u{61C}\\u{115F}\\u{1160}\\u{17B4}\\u{17B5}" +
    "\\u{180B}-\\u{180F}\\u{200B}-\\u{200F}\\u{202A}-\\u{202E}\\u{2060}-\\u{206F}\\u{3164}" +
    "\\u{FE00}-\\u{FE0F}\\u{FEFF}\\u{FFA0}\\u{FFF0}-\\u{FFFB}\\u{1D173}-\\u{1D17A}\\u{E0000}-\\u{E0FFF}]",
  "gu",
);

// Each is white space to a reader. Were it taken out, "Buy\rnow" would be one word.
const LINE_BREAK = /\r\n?|[\v\f\u{85}\u{2028}\u{2029}]/gu;

/**
 * The text, its line breaks of one kind, without what a reader cannot see but a matcher or a tokenizer
 * can. Never longer.
 */
export const withoutUnseen = (text: string): string =>
  text.replace(LINE_BREAK, "\n").replace(UNSEEN, "");
