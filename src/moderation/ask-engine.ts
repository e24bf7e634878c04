import type { CheckStageName } from "../domain/moderation/stage.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { askModels, type ModelOutcome } from "../engines/engine-call.ts";
import type { Check, CheckOptions, CheckOutcome, Engine } from "../engines/engine.ts";
import type { Model } from "../domain/catalogue/catalogue.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import { createGate, type Gate, type Turn } from "../io/gate.ts";

/** By stage: how long a caller will wait. Twice the longest (with a fallback) fits into a call's 60 s. */
const TIMEOUT_MS: Readonly<Record<CheckStageName, number>> = {
  sentiment: 10_000,
  judge: 25_000,
  labels: 10_000,
  vision: 25_000,
};

/**
 * For all engine calls of one governed call at once: a Worker has six connections. A call may plan two
 * hundred engine calls: all at once they would wait for connections while their timeouts run.
 */
export const GATE_CAPACITY = 6;

/** A picture for a vision model takes three copies of a 5.6 MB data URI in an isolate: two at a time. */
const WEIGHT: Readonly<Record<CheckStageName, number>> = {
  sentiment: 1,
  judge: 1,
  labels: 1,
  vision: 3,
};

/** Makes one engine call when the gate has room. */
export async function askEngine(
  context: RunContext,
  { name, model, fallbacks }: CheckStage,
  check: (model: string) => Check,
): Promise<ModelOutcome<CheckOutcome>> {
  const timeoutMs = TIMEOUT_MS[name];
  const ask = () =>
    askModels([model, ...fallbacks], (id) =>
      askInTurn(context, { weight: WEIGHT[name], timeoutMs }, (options) =>
        context.engine.run(context.hold, check(id), options),
      ),
    );
  const first = await ask();
  const waitMs = context.isPatient === true ? askedWait(first.outcome) : null;
  // What is asked again must have its whole time.
  if (waitMs === null || context.nowMs() + waitMs + timeoutMs > context.deadlineMs) return first;
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  return ask();
}

/** How long the engine asked to wait until it has room; null: it did not, or that is not why. */
const askedWait = (outcome: CheckOutcome): number | null =>
  outcome.kind === "refused" && outcome.retryable ? (outcome.retryAfterMs ?? null) : null;

/** @returns null: the time was up before its turn came */
export const askInTurn = <Outcome>(
  { nowMs, deadlineMs, gate }: RunContext,
  { timeoutMs, ...turn }: Turn & { readonly timeoutMs: number },
  ask: (options: CheckOptions) => Promise<Outcome>,
): Promise<Outcome | null> =>
  gate.run(turn, async () => {
    const leftMs = deadlineMs - nowMs();
    return leftMs <= 0 ? null : ask({ timeoutMs: Math.min(timeoutMs, leftMs) });
  });

/** The data that the engine calls of one admitted call share. */
export interface RunContext {
  readonly engine: Engine;
  readonly hold: Hold;
  /** The catalogue's model with the platform's price, for the models of planned stages. */
  readonly modelOf: (id: string) => Model;
  readonly nowMs: () => number;
  /** After this time no work begins, and running work is given up. */
  readonly deadlineMs: number;
  readonly gate: Gate;
  /** Nobody waits for the reply: the call waits for a busy engine, as long as its own time allows. */
  readonly isPatient?: boolean;
}

export const runContext = ({
  engine,
  hold,
  modelOf,
  deadlineMs,
}: Omit<RunContext, "nowMs" | "gate">): RunContext => ({
  engine,
  hold,
  modelOf,
  nowMs: () => Date.now(),
  deadlineMs,
  gate: createGate(GATE_CAPACITY),
});
