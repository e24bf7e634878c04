// Emoji as a reader counts them: a family is one emoji, and so is a flag, a keycap, or a hand with its skin
// tone (https://www.unicode.org/reports/tr51/#EBNF_and_Regex). Regional indicators pair from the left, so
// that two adjacent flags have no third one between them.

export interface Emoji {
  /** The place in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Without variation selectors, which change how it is drawn and not what it is. */
  readonly sign: string;
}

const SELECTORS = "[\\u{FE0E}\\u{FE0F}]*";
const KEYCAP = `[0-9#*]${SELECTORS}\\u{20E3}`;
const FLAG = "\\p{Regional_Indicator}{2}";
/** England's flag: a black one with invisible letters. No region has a longer name. */
const TAGS = "[\\u{E0020}-\\u{E007E}]{1,16}\\u{E007F}";
const PICTURE =
  `(?![0-9#*])[\\p{Emoji}\\p{Extended_Pictographic}]${SELECTORS}` +
  `(?:\\p{Emoji_Modifier}${SELECTORS})?\\u{20E3}?(?:${TAGS})?`;
const JOINED = `(?:${PICTURE})(?:\\u{200D}(?:${PICTURE}))*`;

const EMOJI = new RegExp(`${KEYCAP}|${FLAG}|${JOINED}`, "gu");
const SELECTOR = /[\u{FE0E}\u{FE0F}]/gu;
const TONE = /\p{Emoji_Modifier}/gu;
const ONLY_TONES = /^\p{Emoji_Modifier}+$/u;

/** The emoji of a text in their order, in linear time. */
export const emojiIn = (text: string): Emoji[] =>
  Array.from(text.matchAll(EMOJI), ({ index, 0: written }) => ({
    start: index,
    end: index + written.length,
    sign: written.replace(SELECTOR, ""),
  }));

export const withoutEmoji = (text: string): string => text.replace(EMOJI, "");

/** The sign without skin tones. A tone alone is a sign of its own. */
export const withoutTones = (sign: string): string =>
  ONLY_TONES.test(sign) ? sign : sign.replace(TONE, "");
