import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { stepCount, type BatchParams } from "../domain/moderation/batch.ts";
import { tenantObject } from "../edge/bindings.ts";
import { runStep } from "./run-step.ts";

// A batch as a Workflow: its steps run one after the other, each repeated until its result is known. The
// tenant's object knows the work and the progress; the Workflow only stores where to continue.

/** A step takes ten items, at most a minute each. */
const STEP = {
  retries: { limit: 8, delay: "2 seconds", backoff: "exponential" },
  timeout: "10 minutes",
} as const;

/** A Workflow may sleep, but may not have endless steps. */
const LONGEST_WAIT_MS = 24 * 3_600_000;
const SHORTEST_WAIT_MS = 250;

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
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      if (!(await this.#step(payload, step, at))) return;
    }
    await step.do("complete", STEP, () =>
      tenantObject(this.env, tenant).completeBatch(generation, batch),
    );
  }

  /** False: the batch is over. */
  async #step(payload: BatchParams, step: WorkflowStep, at: number): Promise<boolean> {
    for (let round = 0; ; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      const next = await step.do(`step ${at}, round ${round}`, STEP, () =>
        runStep(this.env, payload, at),
      );
      if (next.kind !== "wait") return next.kind === "next";
      const waitMs = Math.min(Math.max(next.ms, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await step.sleep(`step ${at}, wait ${round}`, waitMs);
    }
  }
}
