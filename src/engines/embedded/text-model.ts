import type { Scores } from "../../domain/moderation/category.ts";
import type { SpansOf } from "../../domain/moderation/text-model.ts";
import { type Assets, modelLoader } from "../../io/model-asset.ts";
import { CATEGORY_OF, type Head, HEADS, type Scores as HeadScores } from "../../tier0/heads.ts";
import type { KnownShare } from "../../tier0/vocabulary.ts";
import { RELEASE } from "../../tier0/weights.ts";
import { Tier0 } from "../../tier0/tier0.ts";
import { hasEnglish, isReadable } from "./readable.ts";

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
