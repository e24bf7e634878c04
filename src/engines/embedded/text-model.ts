import type { Scores } from "../../domain/moderation/category.ts";
import type { SpansOf } from "../../domain/moderation/explain.ts";
import { type Assets, modelLoader } from "../../io/model-asset.ts";
import { CATEGORY_OF, type Head, HEADS, type Scores as HeadScores } from "../../tier0/heads.ts";
import type { KnownShare } from "../../tier0/known-words.ts";
import { RELEASE } from "../../tier0/release.ts";
import { Tier0 } from "../../tier0/tier0.ts";
import { hasEnglish, isReadable } from "./readable.ts";

// The text model inside the Worker: small, free, English alone (docs/tier0.md).

/** What became of a text. */
export type JudgedText =
  | {
      readonly kind: "judged";
      /** Of `TEXT_MODEL_CATEGORIES`, and of `TEXT_MODEL_SHOWS` what it shows. */
      readonly scores: Scores;
      readonly negativity: number;
      /** Instructions to a model that reads the text: 0.5 is worth a look. */
      readonly injection: number;
      /** Which words of the text drive a score, or say what it shows. */
      readonly spansOf: SpansOf;
    }
  /** Its words are not known, or the text is longer than what the model reads. */
  | {
      readonly kind: "unreadable";
      readonly because: "unknown_words" | "too_long";
      /** Of `TEXT_MODEL_SHOWS` what it shows all the same: half a text may say enough. */
      readonly shown?: Scores;
      readonly spansOf?: SpansOf;
    }
  /** The model's file cannot be had or is not the one that the source names. */
  | { readonly kind: "unavailable" };

/** Gives the model; null while it cannot be had. Never rejects. */
export type LoadTextModel = () => Promise<Tier0 | null>;

const LOADER = modelLoader(RELEASE, (bytes) => Tier0.read(bytes));

/** Of this isolate, whose first text waits for it. */
export const textModelOf =
  (assets: Assets): LoadTextModel =>
  () =>
    LOADER.load(assets);

/** A text, and its language where that is certain; null: nobody can tell. */
export interface TextToJudge {
  readonly text: string;
  readonly language: string | null;
}

/** What the model says of a text in English or in no language. Never rejects for what a text is. */
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
  // Absent where it shows nothing: that is no opinion.
  const shown: Scores = minors === null ? {} : { "sexual/minors": minors.score };
  const unreadable = { kind: "unreadable", ...(minors !== null && { shown, spansOf }) } as const;
  // What was not read is no matter of language: padding must be no way past a guard.
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

/** Of a few words that no list has, the model may know each: names of places above all. */
const FEW_WORDS = 3;

const isAllKnown = ({ words, known }: KnownShare): boolean => words <= FEW_WORDS && known === words;

/**
 * A text without a word of English is a number, a name, a thumb, a line of a program: what the model
 * doubts of it is noise ("Kowalski"). Where it is sure, it counts.
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
