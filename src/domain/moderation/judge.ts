import { forEach, JUDGED_CATEGORIES, type Scores } from "./category.ts";
import { JUDGE_POLICY } from "./judge-instructions.ts";
import {
  answerSchema,
  type Message,
  readEntries,
  readScore,
  SCORE_SCHEMA,
} from "./model-answer.ts";
import { withoutUnseen } from "../text/normalise.ts";

// What a language model is asked about a text, and the strict reading of its answer.
//
// The writer of the text may want a good verdict, so the text must not be able to pose as instructions:
// invisible characters are stripped, the text is sent as a JSON string (on one line, quotes escaped) between
// two lines with a nonce that its writer cannot know, and our instruction comes last. The answer must be one
// JSON object of exactly the schema that echoes the nonce; anything else is no answer. A model that was
// manipulated can still answer in the right form, which is why the judge is never the only opinion (see
// injection.ts).
//
// The instructions are in judge-instructions.ts.

/** A text generation is always sent with an explicit limit, which is the bound of its output. */
export const JUDGE_MAX_TOKENS = 256;

export function judgeMessages(text: string, nonce: string): Message[] {
  const fenced = `<text ${nonce}>\n${judgedJson(text)}\n</text ${nonce}>`;
  const closing = `Rate the text above. Answer in JSON with "nonce":"${nonce}"`;
  return [
    { role: "system", content: JUDGE_POLICY },
    { role: "user", content: `${fenced}\n${closing}` },
  ];
}

/** The form in which a text is shown to the judge; bounds are computed from its bytes. */
export function judgedJson(text: string): string {
  return JSON.stringify(cleanForJudge(text));
}

/** Without characters that a reader cannot see but a tokenizer can. Never longer than the text. */
export function cleanForJudge(text: string): string {
  return withoutUnseen(text);
}

/** JSON schema of the judge's answer, for `response_format`. */
export function judgeSchema(): Record<string, unknown> {
  return answerSchema(forEach(JUDGED_CATEGORIES, () => SCORE_SCHEMA));
}

/** The scores (0 to 1) of an answer that matches the schema exactly and echoes the nonce, else null. */
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
