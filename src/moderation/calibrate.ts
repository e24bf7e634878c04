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
import { type Category, forEach, type Scores } from "../domain/moderation/category.ts";
import type { Policy } from "../domain/moderation/policy.ts";
import { matchTerms } from "../domain/terms/term-match.ts";
import { TEXT_MODEL, TEXT_MODEL_SHOWS } from "../domain/moderation/text-model.ts";
import { placedText } from "./placed-text.ts";
import { type JudgeText, textStage } from "./text-stage.ts";

// A tenant's labelled texts, read by the text model as a moderation under the policy reads them beside a
// judge, and the thresholds that they bear out. Nothing is asked of an engine, and nothing is kept.

export interface LabelledText {
  readonly text: string;
  /** What a person says; a category that is not named is not known. */
  readonly labels: Readonly<Partial<Record<Category, boolean>>>;
}

export interface ReadExamples {
  readonly counts: Calibration["examples"];
  readonly read: readonly ReadExample[];
}

export interface ReadExample extends LabelledText {
  readonly scores: Scores;
}

/** @returns null: the text model is not there */
export async function calibrate(
  judgeText: JudgeText,
  policy: Policy,
  { examples, ...terms }: CalibrationTerms & { readonly examples: readonly LabelledText[] },
): Promise<Calibration | null> {
  const made = await readExamples(judgeText, policy, examples);
  if (made === null) return null;
  const heads = thresholdsOf(policy, made.read, terms);
  return { model: TEXT_MODEL, examples: made.counts, heads };
}

/** Characters that are read at a stretch, in some 20 ms: other requests of the isolate wait so long. */
const PAUSE_AFTER = 32_768;

/** @returns null: the text model is not there */
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
      // oxlint-disable-next-line no-await-in-loop -- others have their turn
      await new Promise((resolve) => setTimeout(resolve, 0));
      since = 0;
    }
    since += example.text.length;
    // oxlint-disable-next-line no-await-in-loop -- nothing is waited for: the model is in memory
    const scores = await scoresOf(judgeText, policy, example.text);
    if (scores === "unavailable") return null;
    if (scores !== null) read.push({ ...example, scores });
  }
  const counts = {
    received: examples.length,
    repeated: examples.length - distinct.length,
    unread: distinct.length - read.length,
    used: read.length,
  };
  return { counts, read };
}

/** @param half on which half a text is */
export const thresholdsOf = (
  policy: Policy,
  read: readonly ReadExample[],
  terms: CalibrationTerms,
  half: (text: string) => LabelledScore["half"] = halfOf,
): Calibration["heads"] =>
  forEach(CASCADE_HEADS, (head) => calibrated(labelled(head, policy, read, half), terms));

/** Null: the model does not answer for the text, or a term decides of it. */
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
    spared: false,
    beside: true,
  });
  if (result.status === "failed") return "unavailable";
  const isShown = TEXT_MODEL_SHOWS.some((category) => result.scores[category] !== undefined);
  return result.status === "evaluated" && !isShown ? result.scores : null;
}

/** What the examples say of one head. */
function labelled(
  head: CascadeHead,
  policy: Policy,
  read: readonly ReadExample[],
  half: (text: string) => LabelledScore["half"],
): LabelledScore[] {
  if (head !== "any") {
    return read.flatMap(({ text, labels, scores }) => {
      const harmful = labels[head];
      return harmful === undefined ? [] : [{ score: scores[head] ?? 0, harmful, half: half(text) }];
    });
  }
  const required = requiredOfText(policy);
  return read.flatMap(({ text, labels, scores }) => {
    const said = required.map((category) => labels[category]);
    if (said.length === 0 || said.includes(undefined)) return [];
    return [{ score: anyScore(scores), harmful: said.includes(true), half: half(text) }];
  });
}
