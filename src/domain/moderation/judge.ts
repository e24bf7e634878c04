import { forEach, JUDGED_CATEGORIES, type Scores } from "./category.ts";
import { JUDGE_POLICY } from "./judge-instructions.ts";
import {
  answerSchema,
  type Message,
  readEntries,
  readScore,
  SCORE_SCHEMA,
} from "./model-answer.ts";
import { withoutUnseen } from "../text/invisible-characters.ts";

// What a language model is asked about a text, and the strict reading of its answer.
//
// The text is written by someone who may want a good verdict, so it is given no way to speak for
// itself: invisible characters are stripped, it travels as a JSON string (on one line, quotes
// escaped) between two lines that carry a nonce it cannot know, and our instruction comes last. The
// answer must be one JSON object of exactly the schema that echoes the nonce; anything else is no
// answer. A model that was talked round can still answer formally without fault, which is why the
// judge is never the only opinion (see injection.ts).
//
// What a judge is told stands in judge-instructions.ts.

/** A text generation is always sent with an explicit limit: it is the bound of its output. */
export const JUDGE_MAX_TOKENS = 256;

export function judgeMessages(text: string, nonce: string): Message[] {
  const fenced = `<text ${nonce}>\n${judgedJson(text)}\n</text ${nonce}>`;
  const closing = `Rate the text above. Answer in JSON with "nonce":"${nonce}"`;
  return [
    { role: "system", content: JUDGE_POLICY },
    { role: "user", content: `${fenced}\n${closing}` },
  ];
}

/** The form in which a text is put before the judge; bounds are computed on its bytes. */
export function judgedJson(text: string): string {
  return JSON.stringify(cleanForJudge(text));
}

/** Without what a reader cannot see but a tokenizer can. Never longer than the text. */
export function cleanForJudge(text: string): string {
  return withoutUnseen(text);
}

/** JSON schema of the judge's answer, for `response_format`. */
export function judgeSchema(): Record<string, unknown> {
  return answerSchema(forEach(JUDGED_CATEGORIES, () => SCORE_SCHEMA));
}

/** The scores (0 to 1) of an answer that is exactly to the schema and echoes the nonce, else null. */
export function readJudgeAnswer(answer: unknown, nonce: string): Scores | null {
  const entries = readEntries(answer, nonce, { keys: JUDGED_CATEGORIES });
  if (entries === null) return null;
  const scores: Scores = {};
  for (const category of JUDGED_CATEGORIES) {
    const score = readScore(entries.get(category));
    if (score === null) return null;
    scores[category] = score;
  }
  return scores;
}
