import {
  calibrated,
  type Calibration,
  type CalibrationTerms,
  halfOf,
  type LabelledScore,
} from "../domain/moderation/calibration.ts";
import {
  anyScore,
  CASCADE_HEADS,
  type CascadeHead,
  requiredOfText,
} from "../domain/moderation/cascade.ts";
import { forEach, type Scores } from "../domain/moderation/category.ts";
import {
  isRandom,
  type LabelledText,
  type LabelSource,
} from "../domain/moderation/labelled-text.ts";
import type { Policy } from "../domain/moderation/policy.ts";
import { matchTerms } from "../domain/terms/term-match.ts";
import { TEXT_MODEL, TEXT_MODEL_SHOWS } from "../domain/moderation/text-model.ts";
import { placedText } from "./language.ts";
import { type JudgeText, textStage } from "./free-stages.ts";

// Reads a tenant's labelled texts with the text model, as a moderation under the policy would read them
// beside a judge, and finds the thresholds that they justify. No engine is called, and nothing is stored.

export interface ReadExamples {
  readonly counts: Calibration["examples"];
  readonly read: readonly ReadExample[];
}

export interface ReadExample extends LabelledText {
  readonly scores: Scores;
}

/** @returns null when the text model is missing */
export async function calibrate(
  judgeText: JudgeText,
  policy: Policy,
  { examples, ...terms }: CalibrationTerms & { readonly examples: readonly LabelledText[] },
): Promise<Calibration | null> {
  const made = await readExamples(judgeText, policy, examples);
  if (made === null) return null;
  const heads = thresholdsOf(policy, made.read, terms);
  const categories = requiredOfText(policy);
  return { model: TEXT_MODEL, examples: made.counts, heads, categories };
}

/** Characters that are read without a pause, in about 20 ms: other requests of the isolate wait that long. */
const PAUSE_AFTER = 32_768;

/** @returns null when the text model is missing */
export async function readExamples(
  judgeText: JudgeText,
  policy: Policy,
  examples: readonly LabelledText[],
): Promise<ReadExamples | null> {
  const distinct = [...new Map(examples.map((one) => [one.text, one])).values()];
  const read: ReadExample[] = [];
  let since = 0;
  for (const example of distinct) {
    if (since >= PAUSE_AFTER) {
      // oxlint-disable-next-line no-await-in-loop -- lets other requests run
      await new Promise((resolve) => setTimeout(resolve, 0));
      since = 0;
    }
    since += example.text.length;
    // oxlint-disable-next-line no-await-in-loop -- there is no real wait: the model is in memory
    const scores = await scoresOf(judgeText, policy, example.text);
    if (scores === "unavailable") return null;
    if (scores !== null) read.push({ ...example, scores });
  }
  const from = (source: LabelSource): number => read.filter((one) => one.source === source).length;
  const counts = {
    received: examples.length,
    repeated: examples.length - distinct.length,
    unread: distinct.length - read.length,
    used: read.length,
    sampled: from("sample"),
    reviewed: from("review"),
    suggested: from("suggestion"),
  };
  return { counts, read };
}

/** @param half the half of a text */
export const thresholdsOf = (
  policy: Policy,
  read: readonly ReadExample[],
  terms: CalibrationTerms,
  half: (text: string) => LabelledScore["half"] = halfOf,
): Calibration["heads"] =>
  forEach(CASCADE_HEADS, (head) => calibrated(labelled(head, policy, read, half), terms));

/** Null: the model does not score the text, or a term decides it. */
async function scoresOf(
  judgeText: JudgeText,
  policy: Policy,
  text: string,
): Promise<Scores | null | "unavailable"> {
  const { blocked, withoutAllowed } = matchTerms(text, policy);
  if (blocked.length > 0) return null;
  const { result } = await textStage(judgeText, {
    text: withoutAllowed ?? text,
    language: placedText(text, null, policy).language,
    isDecided: false,
    beside: true,
  });
  if (result.status === "failed") return "unavailable";
  const isShown = TEXT_MODEL_SHOWS.some((category) => result.scores[category] !== undefined);
  return result.status === "evaluated" && !isShown ? result.scores : null;
}

/** The labelled scores of one head. */
function labelled(
  head: CascadeHead,
  policy: Policy,
  read: readonly ReadExample[],
  half: (text: string) => LabelledScore["half"],
): LabelledScore[] {
  if (head !== "any") {
    return read.flatMap(({ scores, ...example }) => {
      const harmful = example.labels[head];
      const of = { half: half(example.text), isRandom: isRandom(example) };
      return harmful === undefined ? [] : [{ score: scores[head] ?? 0, harmful, ...of }];
    });
  }
  const required = requiredOfText(policy);
  return read.flatMap(({ scores, ...example }) => {
    const known = required.map((category) => example.labels[category]);
    const isKnown = known.length > 0 && !known.includes(undefined);
    const harmful = example.harmful ?? (isKnown ? known.includes(true) : null);
    const of = { half: half(example.text), isRandom: isRandom(example) };
    return harmful === null ? [] : [{ score: anyScore(scores), harmful, ...of }];
  });
}
