import type { StepOutcome } from "../../domain/pipelines/run-step.ts";
import { prepareAnalysis, withoutAnswer } from "../../documents/analyse.ts";
import { documentCall } from "../../documents/document-call.ts";
import type { DocumentResults } from "../../domain/documents/results.ts";
import type { TaskReport } from "../../domain/documents/task.ts";
import { hasActionItems } from "../../domain/documents/prompts.ts";
import { stepResultsKey } from "../../domain/pipelines/run-files.ts";
import { type StepName, taskOf } from "../../domain/pipelines/step.ts";
import { type Rendered, renderedJson, renderedValue } from "../../generation/generation-call.ts";
import type { StepInput } from "../read-input.ts";
import { documentDeps, failureOf, isAgain, type StepContext, whoOf } from "../step-context.ts";

// One task of a document, as a governed call of its own. Its results are in the bucket until `store` takes
// them. A task that fails leaves its report there, and the document goes on.

/** What a task found in a document, and how it ended. */
export interface TaskFile {
  readonly results: DocumentResults;
  readonly reports: readonly TaskReport[];
}

export async function runTask(
  context: StepContext,
  { text, type, language, categories, userId }: StepInput,
  step: StepName,
): Promise<StepOutcome> {
  const task = taskOf(step);
  if (task === null) throw new Error("the step is no task");
  const { bucket, owner, run, position } = context;
  // The type has nothing of that kind.
  const isEmpty =
    (task === "category" && categories.length === 0) ||
    (task === "action_items" && !hasActionItems(type));
  if (isEmpty) return { kind: "succeeded", microNeurons: 0 };
  const deps = documentDeps(context);
  const prepared = prepareAnalysis(deps.engine, { text, type, language, categories }, [task]);
  const outcome = await documentCall(deps, {
    ...whoOf(context, userId),
    store: null,
    prepared,
    model: run.model,
    render: ({ results, reports }) => renderedJson({ results, reports } satisfies TaskFile),
  });
  const keep = (body: Rendered["body"]) =>
    bucket.put(stepResultsKey(owner, { run: run.id, position, step }), body);
  if (outcome.kind !== "done") {
    const failure = await failureOf(context, outcome);
    if (failure.kind !== "failed") return failure;
    const { as, microNeurons } = failure;
    const report = { ...withoutAnswer(task, "failed", as), microNeurons };
    await keep(renderedJson({ results: { [task]: null }, reports: [report] }).body);
    return { ...failure, documentGoesOn: true };
  }
  const { rendered, microNeurons } = outcome;
  await keep(rendered.body);
  const [report] = (renderedValue(rendered) as TaskFile).reports;
  // A part of the text is better than nothing; an answer that cannot be used is not.
  if (report?.state !== "failed") return { kind: "succeeded", microNeurons };
  const as = report.failure ?? "engine_failed";
  return { kind: "failed", as, microNeurons, again: isAgain(as), documentGoesOn: true };
}
