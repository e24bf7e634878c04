// The scripts of languages: what can be said about a text's language without reading its words.

/** The share of letters from which another script makes a text mixed. */
export const MIXED_SHARE = 0.2;
/** Fewer letters of another script are a name or an abbreviation. */
const MIXED_LETTERS = 4;

/** Whether a substantial part of the letters is in a script that the language does not use. */
export function isForeign(text: string, language: string): boolean {
  const letters = count(text, /\p{L}/gu);
  const foreign = letters - count(text, scriptOf(language));
  if (foreign * 2 > letters) return true;
  return foreign >= MIXED_LETTERS && foreign >= MIXED_SHARE * letters;
}

/** Whether a substantial part of the letters can be of the language; true for a text without letters. */
export function isWritten(text: string, language: string): boolean {
  const letters = count(text, /\p{L}/gu);
  return count(text, scriptOf(language)) >= MIXED_SHARE * letters;
}

/**
 * The language of a script that no other language uses, if all letters except a name are in it; else null.
 */
export function onlyLanguageOf(text: string): string | null {
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
