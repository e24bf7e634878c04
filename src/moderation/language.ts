import { eld } from "eld/extrasmall";
import { isEnglish, isOnlyEnglish } from "../engines/embedded/english-words.ts";
import { plainText } from "../domain/text/plain-text.ts";
import { asWords, spellOut } from "../domain/text/spell-out.ts";
import { isForeign, isWritten, MIXED_SHARE, onlyLanguageOf } from "./scripts.ts";

// In what language a text is. A language is named only where it is certain: English by its words,
// another one by five words at least and a confident detector, or by a script that no other language
// has. Everything else is undetermined (null): no letters, names, few words, code, mixtures. That is no
// reason to judge nothing: `coverageOf` says what each check may make of it.

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

/** A detector by letter sequences knows little of a text of a few words; a list of words does. */
const FEW_WORDS = 8;
/** English prose has about half of its words among these; other languages next to none. */
const ENGLISH_SHARE = 0.2;

/** Fewer words are no sentence: the detector finds a language in a name, too. */
const CERTAIN_WORDS = 5;
/**
 * How far the detector's best score is above that of the next language that is no close relative. Lists
 * of dishes and of car models stay below it; sentences of seven words in 16 languages lie above it.
 */
const CERTAIN_LEAD = 0.08;

/** Languages that a detector confuses with each other: which of them it is may be wrong, not more. */
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

/** A text and its language, looked at once: its disguise is dear to take off. */
export interface PlacedText {
  /** ISO 639-1; null: undetermined. */
  readonly language: string | null;
  /** The text as it is meant to be read. */
  readonly plain: string;
}

/** ISO 639-1; null: undetermined. */
export const detectLanguage = (text: string): string | null => languageIn(plainText(text));

/** The same of a plain text. */
export function languageIn(plain: string): string | null {
  const words = plain.split(/\s+/).filter((word) => LETTER.test(word) && !isAddress(word));
  const shown = pieces(words);
  const language = shown.length > MAX_PIECES ? null : prevailing(shown.map(lookAt));
  if (language === null || isForeign(words.join(""), language)) return null;
  return language;
}

/** Whether the letters of a plain text can be that language: what a caller says may be a mistake. */
export const canBe = (language: string, plain: string): boolean => !isForeign(plain, language);

/** What a check can make of a text, by the languages that it knows. */
export type LanguageCoverage =
  /** Its language is among them. */
  | "covered"
  /** It is in another one, for certain: the check is not asked. */
  | "uncovered"
  /** Nobody can say: the check is asked. */
  | "undetermined";

/** @param languages of the check; null: it does not depend on language */
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
 * Characters that are looked at for the script of a text. What goes on in another one is asked, or is not
 * evaluated: neither is an approval.
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
  // "y0u 1d10t" and "i d i o t" are English once they are spelled out.
  if ([words, wordsOf(asWords(spellOut(piece)))].some(isFewEnglishWords)) return "en";
  const byScript = onlyLanguageOf(piece);
  if (byScript !== null) return byScript;
  return share < 0.5 && isSentence(piece) && isConfident(detected) ? detected.language : null;
}

const isFewEnglishWords = (words: readonly string[]): boolean =>
  words.length <= FEW_WORDS && words.every(isEnglish) && words.some(isOnlyEnglish);

const wordsOf = (piece: string): string[] => piece.toLowerCase().match(/[\p{L}\p{M}']+/gu) ?? [];

/** Two characters of a script without spaces are about a word. */
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
