import { LEET } from "./lookalikes.ts";
import { normalise, readAsLatin } from "./normalise.ts";

// English text in the lower-case words that its writer means: words that are written to avoid a word list are
// restored. It starts from the normal form of terms, and undoes separated letters, leet and repeated letters.
// Every step is a single pass: no expression here can match the same characters in two ways, so 100 KB of any
// text are 100 KB of work.

// Words that belittle a person, chosen by hand: letters that were written apart are joined and cut into them.
// Profanity and slurs are not included.

const INSULTS: ReadonlySet<string> = new Set(
  `
    stupid dumb idiotic moronic imbecilic brainless mindless braindead clueless
    ignorant useless worthless pathetic disgusting repulsive revolting vile ugly hideous filthy
    nasty despicable contemptible loathsome pitiful incompetent retarded delusional spineless
    gutless cowardly lazy fat smelly stinking laughable talentless trashy inbred illiterate subhuman
    garbage filth idiot idiots imbecile imbeciles moron morons cretin cretins dimwit dimwits halfwit
    halfwits nitwit nitwits dumbass dumbasses dummy dolt dunce simpleton blockhead bonehead airhead
    numbskull loser losers coward cowards liar liars creep creeps weirdo weirdos freak freaks
    pervert perverts swine vermin scum scumbag scumbags lowlife lowlifes parasite parasites maggot
    maggots cockroach cockroaches sleazebag douche douchebag douchebags jackass jackasses jerk jerks
    psycho psychos lunatic lunatics savages hag wench brat snowflake crybaby fatso dipshit dirtbag
    scoundrel subhumans degenerate degenerates ignoramus libtard libtards incel incels dingbat
    buffoon joke clown waste failure disgrace embarrassment nobody tool troll rat snake worm pig
    monster animal fool cheater fraud traitor savage peasant wimp slob leech cancer nuisance
  `
    .trim()
    .split(/\s+/),
);

/** `i d i o t`, `i.d.i.o.t`, `i - d - i - o - t`: three or more single letters with equal separators. */
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

/** A possible word in leet. The class is matched as a whole, so that a long word is one match. */
const TOKEN = /[a-z0-9@$!|+]+/g;
const LETTER = /[a-z]/;
const SIGN = /[0-9@$!|+]/;
/** A letter three or more times: no English word has that. */
const REPEATED = /([a-z])\1{2,}/g;

/** Without marks, lookalikes and separated letters; digits and signs stay, except in joined letters. */
export const spellOut = (text: string): string =>
  readAsLatin(normalise(text).text).replaceAll(SPACED_LETTERS, (run) => ` ${joinLetters(run)} `);

const joinLetters = (run: string): string =>
  unleet(run.replaceAll(SEPARATORS, "")).replaceAll(KNOWN, " $& ");

/** Resolves leet and repeated letters in the result of `spellOut`, which leaves words. */
export const asWords = (spelled: string): string => unleet(spelled).replaceAll(REPEATED, "$1");

/** Reads digits and signs as letters in tokens that also have letters: `1d10t`, `$tupid`, not `100`. */
const unleet = (text: string): string =>
  text.replaceAll(TOKEN, (token) =>
    SIGN.test(token) && LETTER.test(token) ? readLeet(token) : token,
  );

function readLeet(token: string): string {
  // A sign at the end of a token is punctuation ("stupid!"), and an @ before it is a name ("@you").
  let end = token.length;
  while (end > 0 && "!|+".includes(token.charAt(end - 1))) end -= 1;
  const start = token.startsWith("@") && !token.startsWith("@ss") ? 1 : 0;
  let word = token.slice(0, start);
  for (let at = start; at < end; at += 1) word += letterOf(token.charAt(at));
  return word + token.slice(end);
}

/** A 1 is read as an i, which is more frequent in English. */
const letterOf = (character: string): string =>
  character === "1" || character === "|" ? "i" : (LEET[character] ?? character);
