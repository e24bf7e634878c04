import { measureTask, windowsOf } from "../domain/documents/measure-analysis.ts";
import { withoutOrders } from "../domain/documents/orders.ts";
import {
  type MeasuredTask,
  SENTIMENT_MODEL,
  type TaskStage,
} from "../domain/documents/plan-analysis.ts";
import type { Subject } from "../domain/documents/prompts.ts";
import type { DocumentResults } from "../domain/documents/results.ts";
import { ruleEntities } from "../domain/documents/rule-entities.ts";
import type { DocumentTask, TaskReport, TaskState } from "../domain/documents/task.ts";
import { TextIndex } from "../domain/documents/text-index.ts";
import type { Item } from "../domain/ledger/ledger.ts";
import { ZERO } from "../domain/ledger/micro-neurons.ts";
import type { PlannedStage } from "../domain/moderation/stage.ts";
import type { Engine } from "../engines/engine.ts";
import {
  accountOf,
  closureNews,
  failureOf as engineFailureOf,
  type GenerationRunFailure,
  itemOf,
} from "../generation/run-generation.ts";
import type { RunContext } from "../moderation/ask-engine.ts";
import { detectLanguage } from "../moderation/language.ts";
import type { ReadDocument } from "./ask-windows.ts";
import { runTask, type TaskRun } from "./run-task.ts";

// The tasks of a document: prepared before its call is admitted, and run with the hold. A route runs all of
// them in one call; a step of a Workflow may run one.

export interface DocumentSource extends Subject {
  readonly text: string;
  /** ISO 639-1; null: it is found in the text. */
  readonly language: string | null;
}

export interface PreparedAnalysis {
  readonly document: ReadDocument;
  readonly tasks: readonly DocumentTask[];
  /** Of those that ask a model: what their calls may use. */
  readonly measured: readonly MeasuredTask[];
  /** ISO 639-1; null: not known. */
  readonly language: string | null;
  readonly hiddenPassages: number;
}

/** Units of a text in which its language is looked for. */
const LANGUAGE_UNITS = 20_000;

export function prepareAnalysis(
  engine: Pick<Engine, "languages">,
  { text, type, categories, language: given }: DocumentSource,
  tasks: readonly DocumentTask[],
): PreparedAnalysis {
  const subject = { type, categories };
  const read = tasks.length === 0 ? { text, passages: 0 } : withoutOrders(text);
  const language =
    tasks.length === 0 ? given : (given ?? detectLanguage(text.slice(0, LANGUAGE_UNITS)));
  const windows = windowsOf(tasks.length === 0 ? "" : read.text);
  const asked = tasks.filter((task) => task !== "sentiment" || isRead(engine, language));
  return {
    document: {
      text: read.text,
      index: new TextIndex(tasks.length === 0 ? "" : read.text),
      subject,
      windows,
      entities: tasks.includes("entities") ? ruleEntities(text).entities : [],
    },
    tasks,
    measured: asked.flatMap((task) => measureTask(task, subject, windows) ?? []),
    language,
    hiddenPassages: read.passages,
  };
}

/** Whether the model of the sentiment reads that language, as far as it is known. */
function isRead(engine: Pick<Engine, "languages">, language: string | null): boolean {
  const languages = engine.languages("sentiment", SENTIMENT_MODEL);
  return language === null || languages === null || languages.includes(language);
}

export interface Analysis {
  readonly items: readonly Item[];
  readonly account: "exhausted" | "answered" | null;
  readonly reports: readonly TaskReport[];
  readonly results: DocumentResults;
  /** No engine call of any task was answered; null: some was, or none was needed. */
  readonly failure: GenerationRunFailure | null;
}

const isTask = (stage: PlannedStage): stage is TaskStage => stage.input === "document";

export async function analyse(
  context: RunContext,
  { document, tasks, measured }: PreparedAnalysis,
): Promise<Analysis> {
  const stages = context.hold.stages.filter(isTask);
  const runs = await Promise.all(
    stages.map(async (stage) => {
      const startedMs = context.nowMs();
      const run = await runTask(context, document, stage);
      const item = itemOf({ ...context, stage, startedMs }, run.kind, run.calls);
      return { run, item };
    }),
  );
  const calls = runs.flatMap(({ run }) => run.calls);
  const asked = calls.map((call) => call.asked);
  const isUnanswered =
    asked.length > 0 && asked.every(({ outcome }) => outcome.kind !== "answered");
  const by = { kind: "chat", engine: context.engine.name } as const;
  const known = context.engine.name === "workers-ai" ? accountOf(asked) : null;
  return {
    items: runs.map(({ item }) => item),
    account: closureNews(known),
    reports: tasks.map((task) => {
      const found = runs.find(({ run }) => run.task === task);
      if (found !== undefined) return reportOf(found.run, found.item);
      const isMeasured = measured.some((one) => one.task === task);
      return withoutAnswer(task, "skipped", isMeasured ? "model_not_allowed" : "language");
    }),
    results: resultsOf(
      tasks,
      runs.map(({ run }) => run),
    ),
    failure: isUnanswered ? engineFailureOf(by, asked) : null,
  };
}

function reportOf(run: TaskRun, item: Item): TaskReport {
  return {
    task: run.task,
    state: stateOf(run),
    coverage: run.coverage,
    dropped: run.dropped,
    failure: run.failure,
    model: item.model,
    engine: item.engine,
    calls: item.calls,
    microNeurons: item.microNeurons,
    basis: item.basis,
  };
}

function stateOf({ task, results, coverage, failure }: TaskRun): TaskState {
  if ((results[task] ?? null) === null) return "failed";
  return coverage >= 1 && failure === null ? "done" : "partial";
}

/** The report of a task that no engine answered. */
export const withoutAnswer = (
  task: DocumentTask,
  state: Extract<TaskState, "failed" | "skipped">,
  failure: string,
): TaskReport => ({
  task,
  state,
  coverage: 0,
  dropped: 0,
  failure,
  model: null,
  engine: null,
  calls: 0,
  microNeurons: ZERO,
  basis: "measured",
});

/** Null for a task that found nothing, so that every task that was asked for has a result. */
const resultsOf = (tasks: readonly DocumentTask[], runs: readonly TaskRun[]): DocumentResults =>
  Object.assign({}, ...tasks.map((task) => ({ [task]: null })), ...runs.map((run) => run.results));
