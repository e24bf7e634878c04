import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { stepCount, type BatchParams } from "../domain/moderation/batch.ts";
import { tenantObject } from "../edge/bindings.ts";
import { inRounds } from "../io/workflow-rounds.ts";
import { runStep } from "./run-step.ts";

// A batch as a Workflow: its steps run one after the other, each repeated until its result is known. The
// tenant's object knows the work and the progress; the Workflow only stores where to continue.

/** A step takes ten items, at most a minute each. */
const STEP = {
  retries: { limit: 8, delay: "2 seconds", backoff: "exponential" },
  timeout: "10 minutes",
} as const;

export class BatchRun extends WorkflowEntrypoint<Env, BatchParams> {
  override async run(
    event: Readonly<WorkflowEvent<BatchParams>>,
    step: WorkflowStep,
  ): Promise<void> {
    const { payload } = event;
    const { tenant, life: generation, batch } = payload;
    const items = await step.do("read", STEP, () =>
      tenantObject(this.env, tenant).itemCount(generation, batch),
    );
    for (let at = 0; at < stepCount(items); at += 1) {
      const rounds = { name: `step ${at}`, step: STEP, doublings: 0 };
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      if (!(await inRounds(step, rounds, () => runStep(this.env, payload, at)))) return;
    }
    await step.do("complete", STEP, () =>
      tenantObject(this.env, tenant).completeBatch(generation, batch),
    );
  }
}
