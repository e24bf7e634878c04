import type { CheckStageName } from "../domain/moderation/stage.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { askModels, type ModelOutcome } from "../engines/engine-call.ts";
import type { Check, CheckOutcome, Engine } from "../engines/engine.ts";
import type { Model } from "../domain/catalogue/catalogue.ts";
import type { Hold } from "../domain/ledger/ledger.ts";

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

// Limits how much of one call runs at once. A call may plan two hundred engine calls, or eight pictures of 4
// MB. All at once, they would wait for each other's connections while their timeouts run, and the pictures,
// each a data URI in a JSON body, would fill the isolate.

interface Gate {
  /** Runs `work` when `weight` is free, in the order of calls, so that nothing waits for ever. */
  run<Result>(weight: number, work: () => Promise<Result>): Promise<Result>;
}

/** @param capacity the weight that may run at once; no single weight may be larger */
export function createGate(capacity: number): Gate {
  let free = capacity;
  const waiting: { readonly weight: number; readonly start: () => void }[] = [];

  function startNext(): void {
    for (;;) {
      const next = waiting[0];
      if (next === undefined || next.weight > free) return;
      waiting.shift();
      free -= next.weight;
      next.start();
    }
  }

  return {
    async run(weight, work) {
      if (weight > capacity) throw new RangeError("weight above the capacity of the gate");
      if (waiting.length === 0 && weight <= free) {
        free -= weight;
      } else {
        await new Promise<void>((start) => {
          waiting.push({ weight, start });
          startNext();
        });
      }
      try {
        return await work();
      } finally {
        free += weight;
        startNext();
      }
    },
  };
}
