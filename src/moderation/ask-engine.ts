import type { CheckStageName } from "../domain/moderation/stage.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { type ModelOutcome, askModels } from "../engines/ask-models.ts";
import type { Check, CheckOutcome } from "../engines/engine.ts";
import type { RunContext } from "./run-context.ts";

/** By stage: how long a caller will wait. Twice the longest (with a fallback) fits into a call's 60 s. */
const TIMEOUT_MS: Readonly<Record<CheckStageName, number>> = {
  sentiment: 10_000,
  judge: 25_000,
  labels: 10_000,
  vision: 25_000,
};

/** For all engine calls of one governed call at once: a Worker has six connections. */
export const GATE_CAPACITY = 6;

/** A picture for a vision model takes three copies of a 5.6 MB data URI: at most two at a time. */
const WEIGHT: Readonly<Record<CheckStageName, number>> = {
  sentiment: 1,
  judge: 1,
  labels: 1,
  vision: 3,
};

/** Makes one engine call when the gate has room. */
export const askEngine = (
  { engine, hold, nowMs, deadlineMs, gate }: RunContext,
  { name, model, fallbacks }: CheckStage,
  check: (model: string) => Check,
): Promise<ModelOutcome<CheckOutcome>> =>
  askModels([model, ...fallbacks], (id) =>
    gate.run(WEIGHT[name], async () => {
      const leftMs = deadlineMs - nowMs();
      if (leftMs <= 0) return null;
      return engine.run(hold, check(id), { timeoutMs: Math.min(TIMEOUT_MS[name], leftMs) });
    }),
  );
