import type { CheckStageName } from "../domain/moderation/stage.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { askModels, type ModelOutcome } from "../engines/engine-call.ts";
import type { Check, CheckOutcome, Engine } from "../engines/engine.ts";
import type { Model } from "../domain/catalogue/catalogue.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import type { Gate } from "../io/gate.ts";

/** By stage: how long a caller will wait. Twice the longest (with a fallback) fits into a call's 60 s. */
const TIMEOUT_MS: Readonly<Record<CheckStageName, number>> = {
  sentiment: 10_000,
  judge: 25_000,
  labels: 10_000,
  vision: 25_000,
};

/**
 * For all engine calls of one governed call at once: a Worker has six connections. A call may plan two hundred
 * engine calls: all at once they would wait for each other's connections while their timeouts run.
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
export const askEngine = (
  { engine, hold, nowMs, deadlineMs, gate }: RunContext,
  { name, model, fallbacks }: CheckStage,
  check: (model: string) => Check,
): Promise<ModelOutcome<CheckOutcome>> =>
  askModels([model, ...fallbacks], (id) =>
    gate.run({ weight: WEIGHT[name] }, async () => {
      const leftMs = deadlineMs - nowMs();
      if (leftMs <= 0) return null;
      return engine.run(hold, check(id), { timeoutMs: Math.min(TIMEOUT_MS[name], leftMs) });
    }),
  );

/** The data that the stages of one admitted call share. */
export interface RunContext {
  readonly engine: Engine;
  readonly hold: Hold;
  /** The catalogue's model with the platform's price, for the models of planned stages. */
  readonly modelOf: (id: string) => Model;
  readonly nowMs: () => number;
  /** After this time no work begins, and running work is given up. */
  readonly deadlineMs: number;
  readonly gate: Gate;
}
