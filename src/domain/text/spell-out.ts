import { INSULTS } from "./insults.ts";
import { LEET } from "./leet.ts";
import { normalise } from "./normalise.ts";
import { readAsLatin } from "./plain-text.ts";

// English text as a reader means it, in lower-case words: what is written to slip past a word list is
// brought back to the word. The normal form is that of terms; letters apart, leet and repeated letters
// are undone here. Every step is a single pass: no expression here can match the same characters in
// two ways, so 100 KB of anything stay 100 KB of work.

/** `i d i o t`, `i.d.i.o.t`, `i - d - i - o - t`: three or more single letters, separated alike. */
const SPACED_LETTERS =
  /(?<![\p{L}\p{N}])[\p{L}\p{N}@$]([\s._*~-]{1,3})[\p{L}\p{N}@$](?![\p{L}\p{N}])(?:\1[\p{L}\p{N}@$](?![\p{L}\p{N}]))+/gu;
const SEPARATORS = /[\s._*~-]+/gu;

/** The words that joined letters are cut into, the longest first. */
const KNOWN = new RegExp(
  ["you", "are", "your", ...INSULTS]
    .filter((word) => word.length > 2 && /^[a-z]+$/.test(word))
    .toSorted((a, b) => b.length - a.length)
    .join("|"),
  "g",
);

/** What may be a word in leet. The class is matched whole, so that a long one is one match. */
const TOKEN = /[a-z0-9@$!|+]+/g;
const LETTER = /[a-z]/;
const SIGN = /[0-9@$!|+]/;
/** Three or more of a letter: no English word has them. */
const REPEATED = /([a-z])\1{2,}/g;

/** Without marks, lookalikes and spacing; digits and signs still stand for what they are. */
export const spellOut = (text: string): string =>
  readAsLatin(normalise(text).text).replaceAll(SPACED_LETTERS, (run) => ` ${joinLetters(run)} `);

const joinLetters = (run: string): string =>
  unleet(run.replaceAll(SEPARATORS, "")).replaceAll(KNOWN, " $& ");

/** Leet and repeated letters resolved in what was spelled out: what is left is words. */
export const asWords = (spelled: string): string => unleet(spelled).replaceAll(REPEATED, "$1");

/** Digits and signs read as letters, in tokens that have letters too: `1d10t`, `$tupid`, not `100`. */
const unleet = (text: string): string =>
  text.replaceAll(TOKEN, (token) =>
    SIGN.test(token) && LETTER.test(token) ? readLeet(token) : token,
  );

function readLeet(token: string): string {
  // What ends a token is punctuation ("stupid!"), and an @ before it is a name ("@you").
  let end = token.length;
  while (end > 0 && "!|+".includes(token.charAt(end - 1))) end -= 1;
  const start = token.startsWith("@") && !token.startsWith("@ss") ? 1 : 0;
  let word = token.slice(0, start);
  for (let at = start; at < end; at += 1) word += letterOf(token.charAt(at));
  return word + token.slice(end);
}

/** A 1 is read as an i: English has more of them. */
const letterOf = (character: string): string =>
  character === "1" || character === "|" ? "i" : (LEET[character] ?? character);
