import type { Basis } from "../ledger/ledger.ts";
import type { MicroNeurons } from "../ledger/micro-neurons.ts";

// What can be asked of a document, and how each task ended.

export const DOCUMENT_TASKS = [
  "summary",
  "key_points",
  "entities",
  "sentiment",
  "category",
  "action_items",
] as const;
export type DocumentTask = (typeof DOCUMENT_TASKS)[number];

/**
 * `done`: the whole text was read. `partial`: a part of it was. `failed`: no answer could be used.
 * `skipped`: the task was not begun.
 */
export const TASK_STATES = ["done", "partial", "failed", "skipped"] as const;
export type TaskState = (typeof TASK_STATES)[number];

export interface TaskReport {
  readonly task: DocumentTask;
  readonly state: TaskState;
  /** The share of the text that was read, 0 to 1. */
  readonly coverage: number;
  /** Parts of answers that were left out, because the text does not have them. */
  readonly dropped: number;
  /** Why it failed, was skipped, or ended before the end of the text; null: it did not. */
  readonly failure: string | null;
  /** The model that ran; null: none did. */
  readonly model: string | null;
  readonly engine: string | null;
  /** Engine calls that were made. */
  readonly calls: number;
  readonly microNeurons: MicroNeurons;
  readonly basis: Basis;
}

/** Whether the task has a result, of the whole text or of a part of it. */
const hasResult = ({ state }: TaskReport): boolean => state === "done" || state === "partial";

/** The reports with newer ones. A task without a result leaves the report of a result that it has. */
export function withReports(
  before: readonly TaskReport[],
  added: readonly TaskReport[],
): readonly TaskReport[] {
  const isKept = (old: TaskReport): boolean =>
    !added.some((one) => one.task === old.task && (hasResult(one) || !hasResult(old)));
  const kept = before.filter(isKept);
  return [...kept, ...added.filter(({ task }) => !kept.some((old) => old.task === task))];
}
