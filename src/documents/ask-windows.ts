import {
  type TaskWindows,
  windowsFor,
  type Windows,
} from "../domain/documents/measure-analysis.ts";
import type { TaskStage } from "../domain/documents/plan-analysis.ts";
import {
  isReduced,
  type ModelTask,
  type ReducedTask,
  reduceQuestion,
  type Subject,
  taskQuestion,
} from "../domain/documents/prompts.ts";
import { type Answers, readAnswer } from "../domain/documents/read-answer.ts";
import type { Checked, CheckedText } from "../domain/documents/check-results.ts";
import type { Entity } from "../domain/documents/results.ts";
import { drawNonce } from "../engines/language-models.ts";
import type { RunContext } from "../moderation/ask-engine.ts";
import { type Asked, askTask, chatOf, contentOf, failureOf } from "./ask-task.ts";

// The questions of a task: one of each window of the text, and one that joins what was found in them. Each
// is one engine call with a nonce of its own.

/** A document as its tasks read it. */
export interface ReadDocument extends CheckedText {
  readonly subject: Subject;
  readonly windows: Windows;
  /** Found by rules. */
  readonly entities: readonly Entity[];
}

/** Kept of the time of a call, for the question that joins the parts. */
const JOIN_MS = 10_000;

/** The answers to one question that was asked of each window. */
export interface WindowAnswers<Value> {
  readonly answers: readonly Checked<Value>[];
  readonly calls: readonly Asked<"chat">[];
  readonly coverage: number;
  readonly dropped: number;
  readonly failure: string | null;
}

export async function askWindows<Task extends ModelTask, Value>(
  context: RunContext,
  { subject, windows }: ReadDocument,
  stage: TaskStage,
  task: Task,
  check: (answer: Answers[Task]) => Checked<Value>,
): Promise<WindowAnswers<Value>> {
  const read = windowsFor(task, windows);
  const isJoined = isReduced(task) && read.windows.length > 1;
  const within = isJoined ? { ...context, deadlineMs: context.deadlineMs - JOIN_MS } : context;
  const ended = await Promise.all(
    read.windows.map(async ({ text: window }, order) => {
      const nonce = drawNonce();
      const question = () => taskQuestion(task, subject, { window, nonce });
      const inference = (model: string) => chatOf(model, question(), context.engine);
      const call = await askTask(within, stage, "chat", { order, inference });
      const failure = failureOf(call);
      if (failure !== null) return { call, window, failure, answer: null };
      const answer = readAnswer(task, contentOf(call), nonce);
      return answer === null
        ? { call, window, failure: "malformed_answer", answer: null }
        : { call, window, failure: null, answer: check(answer) };
    }),
  );
  const answers = ended.flatMap(({ answer }) => (answer === null ? [] : [answer]));
  return {
    answers,
    calls: ended.map(({ call }) => call),
    coverage: coverageOf(
      read,
      ended.map(({ window, answer }) => ({ units: window.length, isRead: answer !== null })),
    ),
    dropped: answers.reduce((total, { dropped }) => total + dropped, 0),
    failure: ended.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/** The share of the text that was read, 0 to 1. */
export function coverageOf(
  { coverage }: TaskWindows,
  windows: readonly { readonly units: number; readonly isRead: boolean }[],
): number {
  const all = windows.reduce((total, { units }) => total + units, 0);
  const read = windows.reduce((total, { units, isRead }) => total + (isRead ? units : 0), 0);
  return all === 0 ? 0 : Math.round(coverage * (read / all) * 1000) / 1000;
}

/** Asks the model to join notes on the windows. */
export async function joinNotes(
  context: RunContext,
  stage: TaskStage,
  task: ReducedTask,
  notes: readonly string[],
): Promise<{
  readonly call: Asked<"chat">;
  readonly nonce: string;
  readonly failure: string | null;
}> {
  const nonce = drawNonce();
  const inference = (model: string) =>
    chatOf(model, reduceQuestion(task, { notes, nonce }), context.engine);
  const call = await askTask(context, stage, "chat", { order: 0, inference });
  return { call, nonce, failure: failureOf(call) };
}
