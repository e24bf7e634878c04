import { encodeTime } from "ulid";
import type { PipelineWork, StepOutcome } from "../domain/pipelines/run-step.ts";
import { itemIds } from "../domain/runs/item-ids.ts";
import { readConfig } from "../config.ts";
import type { SliceParams } from "../domain/pipelines/run.ts";
import { STEPS, type StepName } from "../domain/pipelines/step.ts";
import { bucketOf, tenantObject, type TenantAnswer } from "../edge/bindings.ts";
import { readInput } from "./read-input.ts";
import { type DocumentMemory, failed, type StepContext } from "./step-context.ts";
import { embed } from "./steps/embed.ts";
import { moderate } from "./steps/moderate.ts";
import { runTask } from "./steps/run-task.ts";
import { store } from "./steps/store.ts";

// One step of one document: gets the work from the object, does it, and reports. A repeated run has the same
// result, and is charged once: its ids are made from the run, the document, the step and its round.

const TIME_CHARACTERS = 10;

/** More than the steps of a document. */
const MOST_STEPS = 16;

/** The engine failed: the Workflow tries the step again. Its message is the failure's kind, no content. */
class TryAgain extends Error {}

type Next = Exclude<TenantAnswer<"reportPipelineStep", string>, { kind: "retry" }>;

/**
 * @param memory of the document: the same for each of its steps
 * @param beginsNext whether the report of this step begins the next one
 * @throws TryAgain, or Unclear: the Workflow repeats the step after a growing wait
 */
export async function runStep(
  env: Env,
  { tenant: tenantId, life, run: id }: SliceParams,
  { position, step }: { readonly position: number; readonly step: number },
  { memory, beginsNext }: { readonly memory: DocumentMemory; readonly beginsNext: boolean },
): Promise<Next> {
  const tenant = () => tenantObject(env, tenantId);
  const work =
    takeBegun(memory, step) ?? (await tenant().beginPipelineStep(life, { id, position, step }));
  if (work.kind === "done") return { kind: "next" };
  if (work.kind !== "run") return work;
  const { run, document, from, roundAtMs } = work;
  const name = run.steps[step];
  const bucket = bucketOf(env);
  const read = readConfig(env);
  if (name === undefined || bucket === null || read.kind !== "ready") {
    throw new Error("misconfigured");
  }
  const roundTime = encodeTime(roundAtMs, TIME_CHARACTERS);
  const index = position * MOST_STEPS + STEPS.indexOf(name);
  const ids = itemIds(id, roundTime, index);
  const context: StepContext = {
    env,
    config: read.config,
    bucket,
    tenantId,
    owner: { tenant: tenantId, generation: life },
    run,
    position,
    document,
    step: name,
    memory,
    ids,
    chargeOf: () => tenant().chargeOf(life, ids.callId),
    idempotency: { key: `${id}/${position}/${name}/${roundAtMs}`, fingerprint: id },
  };
  const outcome = await outcomeOf(context, name, from);
  const report = { id, position, step, outcome, beginsNext };
  const next = await tenant().reportPipelineStep(life, report);
  if (next.kind === "retry") throw new TryAgain(next.as);
  if (next.kind !== "next") return next;
  if (next.begun !== undefined) memory.begun = { step: step + 1, work: next.begun };
  // What was begun has the run's key, which the Workflow does not store.
  return { kind: "next" };
}

/** Once: a step that is tried again asks the object. */
function takeBegun(memory: DocumentMemory, step: number): PipelineWork | null {
  const { begun } = memory;
  if (begun?.step !== step) return null;
  memory.begun = null;
  return begun.work;
}

async function outcomeOf(context: StepContext, name: StepName, from: number): Promise<StepOutcome> {
  const input = await readInput(context, name, from);
  if (input.kind !== "input") return failed(input.as);
  switch (name) {
    case "fetch":
      return { kind: "succeeded", microNeurons: 0 };
    case "moderate":
      return moderate(context, input);
    case "store":
      return store(context, input);
    case "embed":
      return embed(context, input);
    default:
      return runTask(context, input, name);
  }
}
