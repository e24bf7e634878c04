import type { PlannedStage } from "../domain/plan.ts";
import type { Check, CheckOutcome } from "../engines/engine.ts";
import type { RunContext } from "./run-context.ts";

// One engine call with what may follow it: only a call that was refused before it ran is repeated
// or falls back, since anything else may have been paid for.

/** By stage: what a caller will wait for, and twice that (with a fallback) fits a call's 60 s. */
const TIMEOUT_MS: Readonly<Record<PlannedStage["name"], number>> = {
  sentiment: 10_000,
  judge: 25_000,
  labels: 10_000,
  vision: 25_000,
};

/** Before the one repeat of a call that found no capacity or no connection. */
const RETRY_AFTER_MS = 250;

/** Of all engine calls of one governed call at once: a Worker has six connections. */
export const GATE_CAPACITY = 6;

/** A picture on its way to a vision model is three copies of a 5.6 MB data URI: at most two at a time. */
const WEIGHT: Readonly<Record<PlannedStage["name"], number>> = {
  sentiment: 1,
  judge: 1,
  labels: 1,
  vision: 3,
};

export interface Asked {
  /** The catalogue id that was asked last. */
  readonly model: string;
  readonly outcome: CheckOutcome;
  /** Whether anything can have been used: not when it was refused, or its turn never came. */
  readonly ran: boolean;
}

export async function askEngine(
  context: RunContext,
  stage: PlannedStage,
  check: (model: string) => Check,
): Promise<Asked> {
  const first = await askWithRetry(context, stage, check(stage.model));
  const { fallback } = stage;
  if (first === null) return { model: stage.model, outcome: { kind: "timed_out" }, ran: false };
  const fallsBack = first.kind === "refused" && !first.accountExhausted;
  if (fallback === null || !fallsBack) return asked(stage.model, first);
  const second = await askWithRetry(context, stage, check(fallback));
  return second === null ? asked(stage.model, first) : asked(fallback, second);
}

const asked = (model: string, outcome: CheckOutcome): Asked => ({
  model,
  outcome,
  ran: outcome.kind !== "refused" && outcome.kind !== "unsupported",
});

/** Null: the call's time was up before it was asked. */
async function askWithRetry(
  context: RunContext,
  { name }: PlannedStage,
  check: Check,
): Promise<CheckOutcome | null> {
  const outcome = await askInTurn(context, name, check);
  if (outcome?.kind !== "refused" || !outcome.retryable) return outcome;
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  return (await askInTurn(context, name, check)) ?? outcome;
}

const askInTurn = (
  { engine, hold, nowMs, deadlineMs, gate }: RunContext,
  name: PlannedStage["name"],
  check: Check,
): Promise<CheckOutcome | null> =>
  gate.run(WEIGHT[name], async () => {
    const leftMs = deadlineMs - nowMs();
    if (leftMs <= 0) return null;
    return engine.run(hold, check, { timeoutMs: Math.min(TIMEOUT_MS[name], leftMs) });
  });
