import type { DocumentTask } from "../documents/task.ts";

// The steps of a pipeline, in the order in which they run, whatever the order in the request. What a step
// needs of the others is checked before a run is made.

export const STEPS = [
  "fetch",
  "moderate",
  "summarize",
  "key_points",
  "entities",
  "sentiment",
  "categorize",
  "action_items",
  "store",
  "embed",
] as const;
export type StepName = (typeof STEPS)[number];

/** The steps that are a task of a document. */
const TASKS: Partial<Readonly<Record<StepName, DocumentTask>>> = {
  summarize: "summary",
  key_points: "key_points",
  entities: "entities",
  sentiment: "sentiment",
  categorize: "category",
  action_items: "action_items",
};

/** Null: the step is no task. */
export const taskOf = (step: StepName): DocumentTask | null => TASKS[step] ?? null;

/** Each once, in the order in which they run. Every document is fetched. */
export const inOrder = (steps: readonly StepName[]): readonly StepName[] =>
  STEPS.filter((step) => step === "fetch" || steps.includes(step));

/**
 * What is wrong with a list of steps, as the rest of a sentence about it; null: nothing.
 *
 * @param hasInline whether a document comes with the request, and is not stored yet
 */
export function stepsFault(steps: readonly StepName[], hasInline: boolean): string | null {
  if (steps.every((step) => step === "fetch")) return "must name a step beside fetch";
  const isStored = steps.includes("store");
  if (!isStored && steps.some((step) => taskOf(step) !== null)) {
    return "must have store: nothing else keeps the results of tasks";
  }
  if (!isStored && hasInline && steps.includes("embed")) {
    return "must have store: only a stored document is found by search";
  }
  return null;
}
