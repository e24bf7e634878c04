import { describe, expect, it } from "vitest";
import { CATALOGUE, type Model, resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import {
  type CheckStage,
  type MeasuredContent,
  planModeration,
} from "../../src/domain/moderation/plan-moderation.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import type { Check, CheckOutcome, Engine } from "../../src/engines/engine.ts";
import { createGate } from "../../src/io/gate.ts";
import { GATE_CAPACITY, type RunContext } from "../../src/moderation/ask-engine.ts";
import { runStage } from "../../src/moderation/run-stage.ts";

const WINDOWS = 12;

/** Twelve windows for the judge, eight pictures, each with writing. */
const CONTENT: MeasuredContent = {
  text: { sentiment: [10], judge: Array.from({ length: WINDOWS }, () => 10) },
  pictures: 8,
};

function planned(): readonly CheckStage[] {
  const plan = planModeration(defaultPolicy("workers-ai"), [CONTENT], (id) =>
    resolveModel(id, { workersPlan: null, prices: {} }),
  );
  if (plan.kind !== "planned") throw new Error("no plan");
  return plan.stages;
}

const modelOf = (id: string): Model => {
  const model = CATALOGUE.get(id);
  if (model === undefined) throw new Error("no such model");
  return model;
};

const picture = { bytes: new Uint8Array(4), format: "png", width: 1, height: 1 } as const;

function checkFor(name: CheckStage["name"]): (model: string) => Check {
  return (model) =>
    name === "labels" || name === "vision"
      ? { name, model, picture }
      : { name, model, text: "hi", language: "en" };
}

/** An engine that counts what is in progress, and answers after a turn of the loop. */
function countingEngine(outcome: CheckOutcome) {
  const seen = { calls: 0, most: 0, mostVision: 0 };
  let now = 0;
  let nowVision = 0;
  const engine: Engine = {
    name: "workers-ai",
    languages: () => null,
    generators: {},
    streamChat: null,
    judges: () => ["toxicity"],
    async run(_hold, { name }) {
      const vision = name === "vision" ? 1 : 0;
      seen.calls += 1;
      now += 1;
      nowVision += vision;
      seen.most = Math.max(seen.most, now);
      seen.mostVision = Math.max(seen.mostVision, nowVision);
      await scheduler.wait(1);
      now -= 1;
      nowVision -= vision;
      return outcome;
    },
  };
  return { engine, seen };
}

const contextOf = (engine: Engine, deadlineMs = 60_000): RunContext => ({
  engine,
  hold: JSON.parse("{}") as Hold,
  modelOf,
  nowMs: () => 0,
  deadlineMs,
  gate: createGate(GATE_CAPACITY),
});

const runAll = (context: RunContext) =>
  Promise.all(
    planned().map((stage) =>
      runStage(
        context,
        stage,
        stage.calls.map(() => checkFor(stage.name)),
        true,
      ),
    ),
  );

describe("runStage", () => {
  const answered: CheckOutcome = { kind: "answered", model: "m", scores: {}, usage: null };

  it("keeps within six calls, and at most two pictures on their way to a vision model", async () => {
    const { engine, seen } = countingEngine(answered);
    await runAll(contextOf(engine));
    expect(seen.calls).toBe(1 + WINDOWS + 8 + 8 + 8);
    expect(seen.most).toBe(6);
    expect(seen.mostVision).toBeLessThanOrEqual(2);
  });

  it("charges nothing for what never had its turn", async () => {
    const { engine, seen } = countingEngine(answered);
    const runs = await runAll(contextOf(engine, 0));
    expect(seen.calls).toBe(0);
    for (const { item, result } of runs) {
      expect(result).toMatchObject({ status: "timed_out", scores: {}, micro_neurons: 0 });
      expect(item).toMatchObject({ model: null, engine: null, microNeurons: 0, calls: 0 });
    }
  });

  it("charges the bound for what was given up while it ran", async () => {
    const { engine } = countingEngine({ kind: "timed_out" });
    const runs = await runAll(contextOf(engine));
    const stages = planned();
    for (const [at, { item }] of runs.entries()) {
      expect(item).toMatchObject({ microNeurons: stages[at]?.bound, basis: "held", failed: true });
    }
  });

  it("is as bad as the worst of its windows, and keeps what the others saw", async () => {
    const outcomes: CheckOutcome[] = [
      { kind: "answered", model: "m", scores: { toxicity: 0.2 }, usage: null },
      { kind: "failed", usage: null },
      { kind: "answered", model: "m", scores: { toxicity: 0.6 }, usage: null },
    ];
    const engine: Engine = {
      ...countingEngine(answered).engine,
      run: async () => outcomes.pop() ?? answered,
    };
    const stage = planned().find(({ name }) => name === "judge");
    if (stage === undefined) throw new Error("no judge");
    const context = contextOf(engine);
    const checks = [0, 1, 2].map(() => checkFor("judge"));
    const { result } = await runStage(context, stage, checks, true);
    expect(result).toMatchObject({ status: "failed", scores: { toxicity: 0.6 } });
  });
});
