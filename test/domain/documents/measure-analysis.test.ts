import { describe, expect, it } from "vitest";
import { measureTask, windowsOf } from "../../../src/domain/documents/measure-analysis.ts";
import {
  formatOf,
  MAX_NOTE_BYTES,
  MODEL_TASKS,
  type Question,
  REDUCED_TASKS,
  reduceQuestion,
  taskQuestion,
} from "../../../src/domain/documents/prompts.ts";
import { NONCE_LENGTH } from "../../../src/domain/moderation/judge.ts";

// The bound of a task counts all that its calls send: messages, and the schema of the answer.

const NONCE = "f".repeat(NONCE_LENGTH);
const SUBJECT = {
  type: "other" as const,
  categories: Array.from({ length: 20 }, (_, at) => `a category with a long name, number ${at}`),
};
const SHORT = "The bridge needs a repair. Anna Keller will pay for it.";

/** Each byte is at most one token. */
const bytes = (text: string): number => new TextEncoder().encode(text).length;
const sent = (question: Question): number =>
  question.messages.reduce((all, { content }) => all + bytes(JSON.stringify(content)), 0) +
  bytes(JSON.stringify(formatOf(question)));

describe("measuring a document's task", () => {
  it.each(MODEL_TASKS)("counts the schema of %s", (task) => {
    const [call] = measureTask(task, SUBJECT, windowsOf(SHORT))?.calls ?? [];
    const question = taskQuestion(task, SUBJECT, { window: SHORT, nonce: NONCE });
    expect(call).toMatchObject({ kind: "chat" });
    expect((call as { readonly textTokens: number }).textTokens).toBeGreaterThanOrEqual(
      sent(question),
    );
  });

  it.each(REDUCED_TASKS)("counts the schema of the join of %s", (task) => {
    const windows = windowsOf(`${SHORT} `.repeat(3000));
    const join = measureTask(task, SUBJECT, windows)?.calls.at(-1);
    const notes = windows.read.windows.map(() => "n".repeat(MAX_NOTE_BYTES));
    expect(notes.length).toBeGreaterThan(1);
    expect((join as { readonly textTokens: number }).textTokens).toBeGreaterThanOrEqual(
      sent(reduceQuestion(task, { notes, nonce: NONCE })),
    );
  });
});
