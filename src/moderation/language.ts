import { eld } from "eld/extrasmall";
import { unmixWords, withoutDisguise } from "../engines/embedded/plain-letters.ts";
import { asWords, spellOut } from "../engines/embedded/unobfuscate.ts";
import { isEnglish, isOnlyEnglish } from "./english-words.ts";

// In what language a text is. What the answer decides is whether a check may be trusted with the
// text, so the two errors are not alike: English taken for something else costs a review, while
// something else taken for English would be approved by lists that cannot read it. In doubt: null.

/**
 * Characters per look: the detector reads no more than about 350 bytes of what it is given, so a long
 * text is shown to it piece by piece and not by its beginning alone.
 */
const PIECE = 300;

/**
 * Pieces at most. A text of 100 KB has some 350, but one letter can be eighteen once its disguise is
 * off. What goes on for longer is in no language that is known.
 */
const MAX_PIECES = 500;

/** A share of the letters from which another language, or another script, makes a text mixed. */
const MIXED_SHARE = 0.2;
/** Fewer letters of another script are a name or an abbreviation. */
const MIXED_LETTERS = 4;

/** A detector by letter sequences knows little of a text of a few words; a list of words does. */
const FEW_WORDS = 8;
/** English prose has about half of its words among these; other languages next to none. */
const ENGLISH_SHARE = 0.2;

/** ISO 639-1; null when the text has no letters, is in no language that is known, or in several. */
export function detectLanguage(text: string): string | null {
  const plain = unmixWords(withoutDisguise(text));
  const words = plain.split(/\s+/).filter((word) => LETTER.test(word) && !isAddress(word));
  const shown = pieces(words);
  const language = shown.length > MAX_PIECES ? null : prevailing(shown.map(lookAt));
  if (language === null || isForeign(words.join(""), language)) return null;
  return language;
}

/** Whether the letters of a text can be that language at all: what a caller says may be a mistake. */
export const canBe = (language: string, text: string): boolean =>
  !isForeign(unmixWords(withoutDisguise(text)), language);

const LETTER = /\p{L}/u;

const isAddress = (word: string): boolean =>
  word.includes("://") || word.includes("@") || /^www\./i.test(word);

interface Look {
  readonly language: string | null;
  readonly letters: number;
}

function pieces(words: readonly string[]): string[] {
  const all: string[] = [];
  let piece = "";
  for (const word of words.flatMap(inParts)) {
    if (piece.length + word.length >= PIECE) {
      all.push(piece);
      piece = "";
    }
    piece += piece === "" ? word : ` ${word}`;
  }
  return piece === "" ? all : [...all, piece];
}

/** Scripts without spaces have words of any length. */
const inParts = (word: string): string[] =>
  word.length < PIECE ? [word] : (word.match(/.{1,100}/gsu) ?? []);

function lookAt(piece: string): Look {
  return { language: choose(eld.detect(piece).language || null, piece), letters: piece.length };
}

function choose(detected: string | null, piece: string): string | null {
  const words = wordsOf(piece);
  if (detected === "en") {
    const share = words.filter(isEnglish).length / words.length;
    return share >= 0.5 || (share >= ENGLISH_SHARE && words.some(isOnlyEnglish)) ? "en" : null;
  }
  // "y0u 1d10t" and "i d i o t" are English once they are spelled out.
  return [words, wordsOf(asWords(spellOut(piece)))].some(isFewEnglishWords) ? "en" : detected;
}

const isFewEnglishWords = (words: readonly string[]): boolean =>
  words.length <= FEW_WORDS && words.every(isEnglish) && words.some(isOnlyEnglish);

const wordsOf = (piece: string): string[] => piece.toLowerCase().match(/[\p{L}\p{M}']+/gu) ?? [];

/** The language of most letters, unless another (or none at all) has a substantial share. */
function prevailing(looks: readonly Look[]): string | null {
  const letters = new Map<string | null, number>();
  let total = 0;
  for (const look of looks) {
    letters.set(look.language, (letters.get(look.language) ?? 0) + look.letters);
    total += look.letters;
  }
  const [most] = [...letters].toSorted(([, a], [, b]) => b - a);
  if (most === undefined) return null;
  return total - most[1] > MIXED_SHARE * total ? null : most[0];
}

/** Whether a substantial part of the letters is in a script that the language is not written in. */
function isForeign(text: string, language: string): boolean {
  const letters = count(text, /\p{L}/gu);
  const foreign = letters - count(text, SCRIPTS[language] ?? /\p{Script=Latin}/gu);
  if (foreign * 2 > letters) return true;
  return foreign >= MIXED_LETTERS && foreign >= MIXED_SHARE * letters;
}

const count = (text: string, letters: RegExp): number =>
  text.length - text.replace(letters, "").length;

const CYRILLIC = /\p{Script=Cyrillic}/gu;
const ARABIC = /\p{Script=Arabic}/gu;
const DEVANAGARI = /\p{Script=Devanagari}/gu;

/** The scripts of those of the detector's languages that are not written in Latin letters. */
const SCRIPTS: Readonly<Record<string, RegExp>> = {
  am: /\p{Script=Ethiopic}/gu,
  ar: ARABIC,
  be: CYRILLIC,
  bg: CYRILLIC,
  bn: /\p{Script=Bengali}/gu,
  el: /\p{Script=Greek}/gu,
  fa: ARABIC,
  gu: /\p{Script=Gujarati}/gu,
  he: /\p{Script=Hebrew}/gu,
  hi: DEVANAGARI,
  hy: /\p{Script=Armenian}/gu,
  ja: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/gu,
  ka: /\p{Script=Georgian}/gu,
  kn: /\p{Script=Kannada}/gu,
  ko: /[\p{Script=Hangul}\p{Script=Han}]/gu,
  ku: ARABIC,
  lo: /\p{Script=Lao}/gu,
  ml: /\p{Script=Malayalam}/gu,
  mr: DEVANAGARI,
  or: /\p{Script=Oriya}/gu,
  pa: /\p{Script=Gurmukhi}/gu,
  ru: CYRILLIC,
  sr: CYRILLIC,
  ta: /\p{Script=Tamil}/gu,
  te: /\p{Script=Telugu}/gu,
  th: /\p{Script=Thai}/gu,
  uk: CYRILLIC,
  ur: ARABIC,
  zh: /\p{Script=Han}/gu,
};
