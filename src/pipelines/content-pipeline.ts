import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { sliceId, type SliceParams } from "../domain/pipelines/run.ts";
import { tenantObject } from "../edge/bindings.ts";
import { inRounds } from "../io/workflow-rounds.ts";
import { runStep } from "./run-step.ts";
import { emptyMemory } from "./step-context.ts";

// A slice of a run as a Workflow: a step for each step of each of its documents, some documents at once.
// The tenant's object knows the work and the progress; the Workflow only stores where to go on. The
// documents themselves are in the bucket.

/** A failing engine is asked three times; what a crash cut short is repeated beyond that. */
const STEP = {
  retries: { limit: 6, delay: "2 seconds", backoff: "exponential" },
  timeout: "2 minutes",
} as const;

/** A Workflow may not have endless steps: waits grow. */
const DOUBLINGS = 6;

/** The local engine answers when the next instance has ended. */
const START_MS = 4000;

export class ContentPipeline extends WorkflowEntrypoint<Env, SliceParams> {
  override async run(
    event: Readonly<WorkflowEvent<SliceParams>>,
    step: WorkflowStep,
  ): Promise<void> {
    const { payload } = event;
    const { tenant, life, run: id, slice } = payload;
    const object = () => tenantObject(this.env, tenant);
    const work = await step.do("read", STEP, () => object().readSlice(life, { id, slice }));
    if (work.kind === "over") return;
    const left = [...work.positions];
    const worker = async (): Promise<void> => {
      for (let position = left.shift(); position !== undefined; position = left.shift()) {
        // oxlint-disable-next-line no-await-in-loop -- one document after the other
        await this.#document(payload, step, { position, steps: work.steps });
      }
    };
    const workers = Math.min(work.most, left.length);
    await Promise.all(Array.from({ length: workers }, worker));
    await step.do("start the next slice", STEP, async () => {
      const next = await object().nextSlice(life, id);
      // The same slice again: some of its documents were not to be had. The tenant's alarm wakes it.
      if (next === null || next === slice) return;
      const params = { ...payload, slice: next };
      const started = this.env.PIPELINES.create({ id: sliceId(params), params });
      // One that is there already is as good.
      await Promise.race([started.catch(() => undefined), scheduler.wait(START_MS)]);
    });
  }

  /** All steps of a document, until one of them is its last. */
  async #document(
    payload: SliceParams,
    workflow: WorkflowStep,
    { position, steps }: { readonly position: number; readonly steps: readonly string[] },
  ): Promise<void> {
    const going = { memory: emptyMemory(), beginsNext: true };
    for (const [at, name] of steps.entries()) {
      const rounds = { name: `document ${position}, ${name}`, step: STEP, doublings: DOUBLINGS };
      const run = () => runStep(this.env, payload, { position, step: at }, going);
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      if (!(await inRounds(workflow, rounds, run))) return;
    }
  }
}
