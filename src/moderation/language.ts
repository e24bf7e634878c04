import { eld } from "eld/extrasmall";
import { isEnglish, isOnlyEnglish } from "../engines/embedded/text-model.ts";
import { plainText } from "../domain/text/normalise.ts";
import { asWords, spellOut } from "../domain/text/spell-out.ts";
import { baseLanguage } from "../domain/text/languages.ts";
import type { Policy } from "../domain/moderation/policy.ts";

// Detects the language of a text. A language is named only where it is certain: English by its words, another
// language by at least five words and a confident detector, or by a script that no other language has.
// Everything else is undetermined (null): no letters, names, few words, code, mixtures. Such a text may still
// be judged: `coverageOf` decides for each check.

/**
 * Characters of a piece: the detector reads only about 350 bytes of its input, so a long text is detected
 * piece by piece, not by its start alone.
 */
const PIECE = 300;

/**
 * The most pieces. A text of 100 KB has about 350, but one letter can become eighteen in its plain form. A
 * longer text has no known language.
 */
const MAX_PIECES = 500;

/** The detector uses sequences of letters and is unreliable for a few words; a list of words is better. */
const FEW_WORDS = 8;
/** About half of the words of English prose are in the list; almost none of other languages. */
const ENGLISH_SHARE = 0.2;

/** Fewer words are no sentence: the detector finds a language even in a name. */
const CERTAIN_WORDS = 5;
/**
 * The least lead of the detector's best score over the next language that is no close relative. Lists of
 * dishes and of car models have less; sentences of seven words in 16 languages have more.
 */
const CERTAIN_LEAD = 0.08;

/** Languages that the detector confuses with each other, but with no others. */
const RELATIVES: readonly (readonly string[])[] = [
  ["da", "no", "sv"],
  ["ms", "id", "tl"],
  ["hr", "sr", "bs", "sl"],
  ["cs", "sk"],
  ["es", "pt", "ca", "gl"],
  ["ru", "uk", "be", "bg", "sr"],
  ["hi", "mr"],
  ["fa", "ur", "ar", "ku"],
];

/** A text and its language, computed once, since the plain form is expensive. */
export interface PlacedText {
  /** ISO 639-1; null: undetermined. */
  readonly language: string | null;
  /** The text in its plain form. */
  readonly plain: string;
}

/** ISO 639-1; null: undetermined. */
export const detectLanguage = (text: string): string | null => languageIn(plainText(text));

/** The same for a plain text. */
export function languageIn(plain: string): string | null {
  const words = plain.split(/\s+/).filter((word) => LETTER.test(word) && !isAddress(word));
  const shown = pieces(words);
  const language = shown.length > MAX_PIECES ? null : prevailing(shown.map(lookAt));
  if (language === null || isForeign(words.join(""), language)) return null;
  return language;
}

/** Whether the letters of a plain text can be of a language: the caller's claim may be wrong. */
export const canBe = (language: string, plain: string): boolean => !isForeign(plain, language);

/** Whether a check can judge a text, by the languages that it knows. */
export type LanguageCoverage =
  /** The check knows the text's language. */
  | "covered"
  /** The text is certainly in another language: the check is not asked. */
  | "uncovered"
  /** The language is unknown: the check is asked. */
  | "undetermined";

/** @param languages those that the check knows; null: it does not depend on language */
export function coverageOf(
  languages: readonly string[] | null,
  { language, plain }: PlacedText,
): LanguageCoverage {
  if (languages === null) return "covered";
  if (language !== null) return languages.includes(language) ? "covered" : "uncovered";
  const beginning = plain.slice(0, SCRIPT_SAMPLE);
  return languages.some((one) => isWritten(beginning, one)) ? "undetermined" : "uncovered";
}

/**
 * Characters that are examined for the script of a text. If the rest is in another script, it is judged or
 * not evaluated: neither approves it.
 */
const SCRIPT_SAMPLE = 20_000;

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

const lookAt = (piece: string): Look => ({ language: choose(piece), letters: piece.length });

function choose(piece: string): string | null {
  const words = wordsOf(piece);
  const detected = eld.detect(piece);
  const share = words.filter(isEnglish).length / words.length;
  if (detected.language === "en") {
    return share >= 0.5 || (share >= ENGLISH_SHARE && words.some(isOnlyEnglish)) ? "en" : null;
  }
  // "y0u 1d10t" and "i d i o t" become English words when they are spelled out.
  if ([words, wordsOf(asWords(spellOut(piece)))].some(isFewEnglishWords)) return "en";
  const byScript = onlyLanguageOf(piece);
  if (byScript !== null) return byScript;
  return share < 0.5 && isSentence(piece) && isConfident(detected) ? detected.language : null;
}

const isFewEnglishWords = (words: readonly string[]): boolean =>
  words.length <= FEW_WORDS && words.every(isEnglish) && words.some(isOnlyEnglish);

const wordsOf = (piece: string): string[] => piece.toLowerCase().match(/[\p{L}\p{M}']+/gu) ?? [];

/** Two characters of a script without spaces are about one word. */
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/** Enough words, and not a list of names: at least half of them begin without a capital. */
function isSentence(piece: string): boolean {
  const spaceless = (piece.match(SPACELESS)?.length ?? 0) / 2;
  const words = piece.match(/[\p{L}\p{M}']+/gu) ?? [];
  const names = words.filter((word) => /^\p{Lu}\p{Ll}/u.test(word)).length;
  return Math.max(words.length, spaceless) >= CERTAIN_WORDS && names * 2 <= words.length;
}

function isConfident(detected: ReturnType<typeof eld.detect>): boolean {
  const scores = detected.getScores();
  const own = RELATIVES.filter((group) => group.includes(detected.language)).flat();
  const others = Object.entries(scores).filter(
    ([language]) => language !== detected.language && !own.includes(language),
  );
  const next = Math.max(0, ...others.map(([, score]) => score));
  return (scores[detected.language] ?? 0) - next >= CERTAIN_LEAD;
}

/** The language of most letters, unless another language, or none, has a substantial share. */
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

/**
 * The caller's language applies, unless the text is in a script that this language does not use. Without one,
 * the detected language applies, or the policy's default if none is detected.
 */
export function placedText(text: string, given: string | null, policy: Policy): PlacedText {
  const plain = plainText(text);
  return { plain, language: languageOf(plain, given, policy) };
}

function languageOf(plain: string, given: string | null, policy: Policy): string | null {
  if (given !== null) return canBe(baseLanguage(given), plain) ? baseLanguage(given) : null;
  const found = languageIn(plain);
  if (found !== null || policy.language === undefined || !/\p{L}/u.test(plain)) return found;
  return canBe(policy.language, plain) ? policy.language : null;
}

// The scripts of languages: what can be said about a text's language without reading its words.

/** The share of letters from which another script makes a text mixed. */
const MIXED_SHARE = 0.2;
/** Fewer letters of another script are a name or an abbreviation. */
const MIXED_LETTERS = 4;

/** Whether a substantial part of the letters is in a script that the language does not use. */
function isForeign(text: string, language: string): boolean {
  const letters = count(text, /\p{L}/gu);
  const foreign = letters - count(text, scriptOf(language));
  if (foreign * 2 > letters) return true;
  return foreign >= MIXED_LETTERS && foreign >= MIXED_SHARE * letters;
}

/** Whether a substantial part of the letters can be of the language; true for a text without letters. */
function isWritten(text: string, language: string): boolean {
  const letters = count(text, /\p{L}/gu);
  return count(text, scriptOf(language)) >= MIXED_SHARE * letters;
}

/**
 * The language of a script that no other language uses, if all letters except a name are in it; else null.
 */
function onlyLanguageOf(text: string): string | null {
  const proven = PROOFS.find(([letters]) => letters.test(text))?.[1] ?? null;
  return proven === null || isForeign(text, proven) ? null : proven;
}

const count = (text: string, letters: RegExp): number =>
  text.length - text.replace(letters, "").length;

const CYRILLIC = /\p{Script=Cyrillic}/gu;
const ARABIC = /\p{Script=Arabic}/gu;
const DEVANAGARI = /\p{Script=Devanagari}/gu;

/** The scripts of the detector's languages that do not use Latin letters. */
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

const scriptOf = (language: string): RegExp => SCRIPTS[language] ?? /\p{Script=Latin}/gu;

/** Scripts of one language only, among widely spoken ones. Japanese and Korean also use Han. */
const PROOFS: readonly (readonly [letters: RegExp, language: string])[] = [
  [/\p{Script=Hangul}/u, "ko"],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, "ja"],
  [/\p{Script=Greek}/u, "el"],
  [/\p{Script=Hebrew}/u, "he"],
  [/\p{Script=Thai}/u, "th"],
  [/\p{Script=Lao}/u, "lo"],
  [/\p{Script=Armenian}/u, "hy"],
  [/\p{Script=Georgian}/u, "ka"],
  [/\p{Script=Gujarati}/u, "gu"],
  [/\p{Script=Gurmukhi}/u, "pa"],
  [/\p{Script=Kannada}/u, "kn"],
  [/\p{Script=Malayalam}/u, "ml"],
  [/\p{Script=Oriya}/u, "or"],
  [/\p{Script=Tamil}/u, "ta"],
  [/\p{Script=Telugu}/u, "te"],
];
