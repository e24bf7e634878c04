import { directedInsults } from "./directed-insults.ts";
import { negativityOf } from "./negativity.ts";
import { overlappingWindows } from "./overlapping-windows.ts";
import { findProfanity, type Profanity } from "./profanity.ts";
import { isReadable } from "./readable.ts";
import { countThreats } from "./threats.ts";
import { asWords, spellOut } from "./unobfuscate.ts";

// Toxicity by word lists: what the embedded engine answers for a judge, and the second opinion beside
// a language model. It cannot be talked round, and it understands nothing: see
// docs/embedded-engine.md for what it misses.

export const LEXICON_MODEL = "neurogate/lexicon@1";

/** Only what the lists were made for and measured on. */
export const LEXICON_LANGUAGES: readonly string[] = ["en"];

const WEIGHTS: Readonly<Record<Profanity["kind"], number>> = {
  slur: 0.92,
  profane: 0.75,
  mild: 0.5,
  sexual: 0.4,
};
/** "Fuck you": the same word, said to someone. */
const PROFANE_AT_YOU = 0.85;
const THREAT = 0.92;

/** What outranks the default block threshold adds up; weaker signals do not, however many. */
const STRONG = 0.7;
/** How much of each further strong signal counts: two ordinary profanities make 0.9. */
const FURTHER = 0.8;
/** The most that negative words alone can bring. */
const AMBIENT = 0.2;

/**
 * Windows at most. A text of 100,000 characters has some 200, or 3,300 where each letter is eighteen
 * once it is spelled out; a prompt of a chat that is longer than this is read by no judge either.
 */
const MAX_WINDOWS = 4000;

/**
 * From 0 to 1; null when the language is none that the lists cover, when it is not known and neither are
 * the words, and for a text that is longer than any that is moderated.
 */
export function lexiconToxicity(text: string, language: string | null): number | null {
  if (language === null ? !isReadable(text) : !LEXICON_LANGUAGES.includes(language)) return null;
  const windows = overlappingWindows(spellOut(text));
  if (windows.length > MAX_WINDOWS) return null;
  let toxicity = 0;
  for (const window of windows) {
    toxicity = Math.max(toxicity, windowToxicity(window));
    // No other window can be worse.
    if (toxicity >= WORST) break;
  }
  return Math.round(toxicity * 1000) / 1000;
}

/** What is rounded to 1. */
const WORST = 0.9995;

function windowToxicity(spelled: string): number {
  const words = asWords(spelled);
  const signals = [
    ...findProfanity(spelled).map((profanity) => weigh(profanity, spelled)),
    ...directedInsults(words),
    ...Array<number>(countThreats(words)).fill(THREAT),
  ];
  const ambient = AMBIENT * negativityOf(words);
  return Math.max(ambient, together(signals));
}

function weigh({ kind, start }: Profanity, text: string): number {
  if (kind !== "profane") return WEIGHTS[kind];
  const atYou =
    YOU_BEFORE.test(text.slice(Math.max(0, start - 40), start)) ||
    YOU_AFTER.test(text.slice(start, start + 40));
  return atYou ? PROFANE_AT_YOU : WEIGHTS[kind];
}

/** "You ...", "you are a ...", "you little ...", up to the profanity. */
const YOU_BEFORE =
  /(?<![a-z])(?:you|u|ur|youre|you're|ya)(?: (?:are|r|a|an|such|so|little|big|dumb|stupid|old|dirty|fat|ugly|lazy|useless))* $/;
/** "... you", "... off" after it. */
const YOU_AFTER = /^\S+ (?:you|u|ya|off)(?![a-z])/;

/** The gravest signal, and the other strong ones on top of it. */
function together(signals: readonly number[]): number {
  const [gravest = 0, ...others] = signals.toSorted((a, b) => b - a);
  return others
    .filter((signal) => signal >= STRONG)
    .reduce((total, signal) => total + (1 - total) * FURTHER * signal, gravest);
}
