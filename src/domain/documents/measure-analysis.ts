import { jsonTokens } from "../generation/json-bound.ts";
import { tokensAtMost } from "../generation/token-bound.ts";
import { NONCE_LENGTH } from "../moderation/judge.ts";
import { splitText, type TextWindow, type WindowedText } from "../moderation/text-window.ts";
import type { MeasuredTask } from "./plan-analysis.ts";
import {
  documentJson,
  formatOf,
  isReduced,
  MAX_NOTE_BYTES,
  MAX_TOKENS,
  type ModelTask,
  type Question,
  reduceQuestion,
  REDUCE_MAX_TOKENS,
  type Subject,
  taskQuestion,
} from "./prompts.ts";
import type { DocumentTask } from "./task.ts";

// Cuts a text into the windows that models read, and measures the calls of each task. A text that one
// window does not hold is read in parts, and what was found in them is joined.

/** The most tokens of a window: half of the smallest context of a priced model, with room for its answer. */
const WINDOW = { tokens: 32_000, overlap: 400 };

/** Windows of a long text that are read: 750 KB of English, some 250 pages. */
export const MOST_WINDOWS = 24;

/** The category shows early: one window is read, the first. */
const CATEGORY_TOKENS = 8000;

/** distilbert reads 512 tokens, two of which are its own. */
const SENTIMENT = { tokens: 510, overlap: 0 };
/** Of a longer text so many windows are read, spread over it evenly. */
const MOST_SENTIMENT_WINDOWS = 12;

/** Of any text that is accepted: windows cover at least a word each. */
const ALL = { windows: 10_000 };

export interface TaskWindows {
  readonly windows: readonly TextWindow[];
  /** The share of the text that they cover, 0 to 1. */
  readonly coverage: number;
}

export interface Windows {
  readonly read: TaskWindows;
  readonly category: TaskWindows;
  readonly sentiment: TaskWindows;
}

/** A window is sent as a JSON string. */
const windowTokens = (window: string): number => tokensAtMost(documentJson(window));

/** @param text as a model may read it (`withoutOrders`) */
export function windowsOf(text: string): Windows {
  const category = { ...WINDOW, tokens: CATEGORY_TOKENS, windows: 1 };
  return {
    read: spread(text, splitText(text, { ...WINDOW, ...ALL }, windowTokens), MOST_WINDOWS),
    category: spread(text, splitText(text, category, windowTokens), 1),
    sentiment: spread(text, splitText(text, { ...SENTIMENT, ...ALL }), MOST_SENTIMENT_WINDOWS),
  };
}

/** Some of the windows, evenly from the first to the last, and the share of the text that they hold. */
function spread(text: string, { windows: all, complete }: WindowedText, most: number): TaskWindows {
  if (complete && all.length <= most) return { windows: all, coverage: 1 };
  const step = most === 1 ? 0 : (all.length - 1) / (most - 1);
  const windows = Array.from({ length: Math.min(most, all.length) }, (_, at) =>
    all.length <= most ? all[at] : all[Math.round(at * step)],
  ).filter((window) => window !== undefined);
  const units = windows.reduce((total, window) => total + window.text.length, 0);
  return { windows, coverage: Math.min(1, units / Math.max(1, text.length)) };
}

const ANY_NONCE = "f".repeat(NONCE_LENGTH);

/** The windows that a task reads. */
export function windowsFor(task: DocumentTask, windows: Windows): TaskWindows {
  if (task === "sentiment") return windows.sentiment;
  return task === "category" ? windows.category : windows.read;
}

/** The calls of a task; null: the text has no window for it. */
export const measureTask = (
  task: DocumentTask,
  subject: Subject,
  windows: Windows,
): MeasuredTask | null => {
  const all = windowsFor(task, windows).windows;
  const calls =
    task === "sentiment"
      ? all.map(({ tokens: text }) => ({ kind: "classification" as const, text }))
      : chatCalls(task, subject, all);
  const [first, ...others] = calls;
  return first === undefined ? null : { task, calls: [first, ...others] };
};

function chatCalls(task: ModelTask, subject: Subject, windows: readonly TextWindow[]) {
  const own = questionTokens(taskQuestion(task, subject, { window: "", nonce: ANY_NONCE }));
  const maxTokens = MAX_TOKENS[task];
  const calls = windows.map(({ tokens }) => ({
    kind: "chat" as const,
    textTokens: own + tokens,
    maxTokens,
  }));
  if (!isReduced(task) || windows.length < 2) return calls;
  const empty = reduceQuestion(task, { notes: [], nonce: ANY_NONCE });
  const textTokens = questionTokens(empty) + windows.length * (MAX_NOTE_BYTES + 1);
  return [...calls, { kind: "chat" as const, textTokens, maxTokens: REDUCE_MAX_TOKENS[task] }];
}

/** Of its messages, and of the schema of the answer, which goes with each call. */
const questionTokens = (question: Question): number =>
  question.messages.reduce(
    (total, { content }) => total + (typeof content === "string" ? tokensAtMost(content) : 0),
    jsonTokens(formatOf(question)),
  );
