import { windowsFor } from "../domain/documents/measure-analysis.ts";
import type { TaskStage } from "../domain/documents/plan-analysis.ts";
import { MAX_NOTE_BYTES } from "../domain/documents/prompts.ts";
import { readAnswer, readChosen } from "../domain/documents/read-answer.ts";
import {
  checkedCategory,
  checkedItems,
  checkedNames,
  checkedPoints,
  checkedSentences,
  distinctByQuote,
  joinedEntities,
} from "../domain/documents/check-results.ts";
import type { DocumentResults, KeyPoint } from "../domain/documents/results.ts";
import { positiveOf, sentimentOf } from "../domain/documents/sentiment.ts";
import type { DocumentTask } from "../domain/documents/task.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { RunContext } from "../moderation/ask-engine.ts";
import { type Asked, askTask, contentOf, failureOf } from "./ask-task.ts";
import {
  askWindows,
  coverageOf,
  joinNotes,
  type ReadDocument,
  type WindowAnswers,
} from "./ask-windows.ts";

// Runs one task of a document: what was found in its windows becomes the task's result. An answer that fits
// the schema is checked against the text; what the text does not have is left out.

export interface TaskRun {
  readonly task: DocumentTask;
  readonly kind: GenerationKind;
  readonly results: DocumentResults;
  readonly calls: readonly Asked<"chat" | "classification">[];
  /** The share of the text of which there is an answer, 0 to 1. */
  readonly coverage: number;
  readonly dropped: number;
  /** Why a part of the text, or all of it, has no answer that can be used; null: it has. */
  readonly failure: string | null;
}

/** Items of a document. */
const MOST_ITEMS = 20;

/** Points of a window that may be chosen for the whole document, and the bytes of each. */
const POINTS_A_WINDOW = 3;
const POINT_BYTES = 440;

export function runTask(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  switch (stage.name) {
    case "summary":
      return runSummary(context, document, stage);
    case "key_points":
      return runKeyPoints(context, document, stage);
    case "entities":
      return runEntities(context, document, stage);
    case "sentiment":
      return runSentiment(context, document, stage);
    case "category":
      return runCategory(context, document, stage);
    case "action_items":
      return runActionItems(context, document, stage);
  }
}

/** @param isEmpty nothing of the answers is in the text, though there were some */
const withoutEvidence = (
  { failure, dropped }: WindowAnswers<unknown>,
  isEmpty: boolean,
): string | null => failure ?? (isEmpty && dropped > 0 ? "not_in_text" : null);

async function runSummary(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  const asked = await askWindows(context, document, stage, "summary", ({ sentences }) =>
    checkedSentences(sentences, document),
  );
  const parts = asked.answers.map(({ value }) => value).filter((part) => part.length > 0);
  const [first] = parts;
  const base = { task: "summary", kind: "chat", calls: asked.calls } as const;
  const { coverage, dropped } = asked;
  if (first === undefined || windowsFor("summary", document.windows).windows.length < 2) {
    const summary = first === undefined ? null : first.join(" ");
    const failure = withoutEvidence(asked, summary === null);
    return { ...base, results: { summary }, coverage, dropped, failure };
  }
  const notes = parts.map((part) => clipped(JSON.stringify(part.join(" ")), MAX_NOTE_BYTES));
  const joined = await joinNotes(context, stage, "summary", notes);
  const calls = [...asked.calls, joined.call];
  const answer =
    joined.failure === null ? readAnswer("summary", contentOf(joined.call), joined.nonce) : null;
  const checked = answer === null ? null : checkedSentences(answer.sentences, document);
  if (checked !== null && checked.value.length > 0) {
    const results = { summary: checked.value.join(" ") };
    return {
      ...base,
      calls,
      results,
      coverage,
      dropped: dropped + checked.dropped,
      failure: asked.failure,
    };
  }
  // The parts are summaries too: the first sentence of some of them.
  const instead = spreadOver(parts, 3).map(([sentence = ""]) => sentence);
  const failure = joined.failure ?? (answer === null ? "malformed_answer" : "not_in_text");
  return {
    ...base,
    calls,
    results: { summary: instead.join(" ") },
    coverage,
    dropped: dropped + (checked?.dropped ?? 0),
    failure,
  };
}

async function runKeyPoints(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  const asked = await askWindows(context, document, stage, "key_points", ({ points }) =>
    checkedPoints(points, document),
  );
  const isLong = windowsFor("key_points", document.windows).windows.length > 1;
  const each = asked.answers.map(({ value }) => (isLong ? value.slice(0, POINTS_A_WINDOW) : value));
  const points = distinctByQuote(each.flat());
  const base = { task: "key_points", kind: "chat", calls: asked.calls } as const;
  const { coverage, dropped } = asked;
  if (!isLong || points.length <= 5) {
    const isNothing = points.length === 0 && (asked.answers.length === 0 || dropped > 0);
    const results = { key_points: isNothing ? null : points };
    const failure = withoutEvidence(asked, points.length === 0);
    return { ...base, results, coverage, dropped, failure };
  }
  const notes = points.map(({ text }, at) =>
    clipped(`${at}: ${JSON.stringify(text)}`, POINT_BYTES),
  );
  const joined = await joinNotes(context, stage, "key_points", notes);
  const calls = [...asked.calls, joined.call];
  const chosen = joined.failure === null ? readChosen(contentOf(joined.call), joined.nonce) : null;
  const kept = [...new Set(chosen)].flatMap((at): readonly KeyPoint[] => {
    const point = points[at];
    return point === undefined ? [] : [point];
  });
  const unknown = (chosen?.length ?? 0) - kept.length;
  if (kept.length > 0) {
    const results = { key_points: kept };
    return {
      ...base,
      calls,
      results,
      coverage,
      dropped: dropped + unknown,
      failure: asked.failure,
    };
  }
  const failure = joined.failure ?? "malformed_answer";
  return {
    ...base,
    calls,
    results: { key_points: spreadOver(points, 5) },
    coverage,
    dropped,
    failure,
  };
}

async function runEntities(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  const asked = await askWindows(context, document, stage, "entities", (names) =>
    checkedNames(names, document),
  );
  const names = asked.answers.flatMap(({ value }) => value);
  return {
    task: "entities",
    kind: "chat",
    results: { entities: joinedEntities(document.entities, names) },
    calls: asked.calls,
    coverage: asked.coverage,
    dropped: asked.dropped,
    failure: asked.failure,
  };
}

async function runCategory(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  const { categories } = document.subject;
  const asked = await askWindows(context, document, stage, "category", (answer) =>
    checkedCategory(answer, categories, document),
  );
  const category = asked.answers[0]?.value ?? null;
  return {
    task: "category",
    kind: "chat",
    results: { category },
    calls: asked.calls,
    coverage: asked.coverage,
    dropped: asked.dropped,
    failure: withoutEvidence(asked, category === null),
  };
}

async function runActionItems(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  const asked = await askWindows(context, document, stage, "action_items", ({ items }) =>
    checkedItems(items, document),
  );
  const items = distinctByQuote(asked.answers.flatMap(({ value }) => value)).slice(0, MOST_ITEMS);
  const isNothing = items.length === 0 && (asked.answers.length === 0 || asked.dropped > 0);
  return {
    task: "action_items",
    kind: "chat",
    results: { action_items: isNothing ? null : items },
    calls: asked.calls,
    coverage: asked.coverage,
    dropped: asked.dropped,
    failure: withoutEvidence(asked, items.length === 0),
  };
}

async function runSentiment(
  context: RunContext,
  document: ReadDocument,
  stage: TaskStage,
): Promise<TaskRun> {
  const read = document.windows.sentiment;
  const ended = await Promise.all(
    read.windows.map(async ({ text, tokens }, order) => {
      const inference = (model: string) => ({ model, text });
      const call = await askTask(context, stage, "classification", { order, inference });
      const { outcome } = call.asked;
      const labels = outcome.kind === "answered" ? outcome.output.labels : [];
      const positive = positiveOf(labels);
      const failure = failureOf(call) ?? (positive === null ? "malformed_answer" : null);
      return { call, tokens, units: text.length, positive, failure };
    }),
  );
  const answered = ended.flatMap(({ positive, tokens }) =>
    positive === null ? [] : [{ positive, tokens }],
  );
  return {
    task: "sentiment",
    kind: "classification",
    results: { sentiment: sentimentOf(answered) },
    calls: ended.map(({ call }) => call),
    coverage: coverageOf(
      read,
      ended.map(({ units, positive }) => ({ units, isRead: positive !== null })),
    ),
    dropped: 0,
    failure: ended.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/** Some of them, from the first to the last. */
function spreadOver<One>(all: readonly One[], most: number): readonly One[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]).filter(
    (one) => one !== undefined,
  );
}

const encoder = new TextEncoder();

/** The beginning of a text, of so many bytes at most. */
function clipped(text: string, bytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}
