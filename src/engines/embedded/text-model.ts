import type { Scores } from "../../domain/category.ts";
import { type Assets, modelLoader } from "../../io/model-asset.ts";
import type { Head, Scores as HeadScores } from "../../tier0/heads.ts";
import type { KnownShare } from "../../tier0/known-words.ts";
import { RELEASE } from "../../tier0/release.ts";
import { Tier0 } from "../../tier0/tier0.ts";

// The text model inside the Worker: small, free, English alone (docs/tier0.md).

/** What became of a text. */
export type JudgedText =
  | {
      readonly kind: "judged";
      /** Of `TEXT_MODEL_CATEGORIES`. */
      readonly scores: Scores;
      readonly negativity: number;
      /** Instructions to a model that reads the text: 0.5 is worth a look. */
      readonly injection: number;
    }
  /** It knows less than half of the words, or the text is longer than what it reads. */
  | { readonly kind: "unreadable" }
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

/** What the model says of a text. Never rejects for what a text is. */
export async function judgeText(text: string, loadModel: LoadTextModel): Promise<JudgedText> {
  const model = await loadModel();
  if (model === null) return { kind: "unavailable" };
  const { scores, share, complete } = model.judge(text);
  if (!complete || !isReadable(share)) return { kind: "unreadable" };
  const of = (head: Head): number => threeDecimals(scores, head);
  return {
    kind: "judged",
    scores: {
      toxicity: of("toxicity"),
      harassment: of("insult"),
      "harassment/threatening": of("threat"),
      hate: of("hate"),
      "self-harm": of("self_harm"),
      sexual: of("sexual"),
    },
    negativity: of("negativity"),
    injection: of("injection"),
  };
}

/**
 * Four words of a language that it never saw are never approved by what it learned from English. A
 * text without words has nothing that could be misread: numbers, addresses, emoji.
 */
const isReadable = ({ words, known }: KnownShare): boolean => known * 2 >= words;

/** Rounded down, so that no score reaches a threshold that the model did not reach. */
const threeDecimals = (scores: HeadScores, head: Head): number =>
  Math.floor(scores[head] * 1_000) / 1_000;
