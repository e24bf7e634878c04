import { describe, expect, it } from "vitest";
import { analyse, prepareAnalysis, type PreparedAnalysis } from "../../src/documents/analyse.ts";
import { admittedModels, resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import { DEFAULT_MODEL, planAnalysis } from "../../src/domain/documents/plan-analysis.ts";
import type { DocumentTask } from "../../src/domain/documents/task.ts";
import { type Hold, makeHold } from "../../src/domain/ledger/ledger.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createGate } from "../../src/io/gate.ts";
import type { RunContext } from "../../src/moderation/ask-engine.ts";

// Tasks against a clock that the engine moves.

const SECOND = 1000;
const DEADLINE = 60 * SECOND;

const TEXT = Array.from(
  { length: 6000 },
  (_, at) => `Section ${at + 1} of the survey describes the bridge and what its repair will cost.`,
).join(" ");

const LANGUAGES = { languages: () => null };

const prepared = (tasks: readonly DocumentTask[], text = TEXT): PreparedAnalysis =>
  prepareAnalysis(LANGUAGES, { text, type: "report", categories: [], language: "en" }, tasks);

function holdFor({ measured }: PreparedAnalysis): Hold {
  const plan = planAnalysis(measured, [DEFAULT_MODEL], (id) =>
    resolveModel(id, { workersPlan: null, prices: {} }),
  );
  if (plan.kind !== "planned") throw new Error(plan.kind);
  return makeHold({
    callId: "jnl_1",
    requestId: "req_1",
    route: "POST /v1/documents",
    keyId: null,
    userId: null,
    day: 0,
    admittedAtMs: 0,
    deadlineMs: DEADLINE + 30 * SECOND,
    priceBook: "test",
    stages: plan.stages,
  });
}

/** Each answer takes that long; of windows it says their first sentence, of notes nothing. */
function contextFor(hold: Hold, msEach: number): RunContext & { readonly most: () => number } {
  let nowMs = 0;
  let running = 0;
  let most = 0;
  const chat: NonNullable<Engine["generators"]["chat"]> = async (_, { messages }) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    nowMs += msEach / 6;
    running -= 1;
    const prompt = JSON.stringify(messages.at(-1)?.content);
    const nonce = /\b[0-9a-f]{32}\b/.exec(prompt)?.[0];
    const sentence = /Section \d+ of the survey describes the bridge/.exec(prompt)?.[0] ?? "";
    const isSummary = prompt.includes("sentences");
    const answer = isSummary
      ? { sentences: [sentence] }
      : { persons: [], organizations: [], places: ["bridge"] };
    const content = JSON.stringify({ nonce, ...answer });
    const output = { content, reasoning: null, toolCalls: [], finishReason: "stop" } as const;
    const usage = { input_token: 100, output_token: 10 };
    return { kind: "answered", model: DEFAULT_MODEL, output, usage };
  };
  const engine = { name: "workers-ai", generators: { chat } } as unknown as Engine;
  return {
    engine,
    hold,
    modelOf: admittedModels({}),
    nowMs: () => nowMs,
    deadlineMs: DEADLINE,
    gate: createGate(6),
    most: () => most,
  };
}

describe("the tasks of a long text", () => {
  it("ask the engine at most six times at once", async () => {
    const of = prepared(["summary", "entities"]);
    const context = contextFor(holdFor(of), 1);
    const { reports } = await analyse(context, of);
    expect(reports.map(({ coverage }) => coverage)).toEqual([1, 1]);
    expect(context.most()).toBe(6);
  });

  it("end in time, each with the same part of the text, and pay for that part alone", async () => {
    const of = prepared(["summary", "entities"]);
    const hold = holdFor(of);
    const { reports, items, results, failure } = await analyse(contextFor(hold, 20 * SECOND), of);
    expect(failure).toBeNull();
    const [summary, entities] = reports;
    for (const report of reports) {
      expect(report).toMatchObject({ state: "partial", failure: "time_up" });
      expect(report.coverage).toBeGreaterThan(0.2);
      expect(report.coverage).toBeLessThan(0.9);
    }
    expect(Math.abs((summary?.calls ?? 0) - (entities?.calls ?? 0))).toBeLessThanOrEqual(4);
    expect(results.summary).toMatch(/^Section \d+/);
    for (const [at, item] of items.entries()) {
      expect(item.microNeurons).toBeLessThan(hold.stages[at]?.bound ?? 0);
      expect(item.basis).toBe("measured");
    }
  });

  it("fail as one when no engine answers", async () => {
    const of = prepared(["summary"], "A short text about the bridge and its repair.");
    const hold = holdFor(of);
    const engine = {
      name: "workers-ai",
      generators: { chat: () => Promise.resolve({ kind: "timed_out" }) },
    } as unknown as Engine;
    const { failure, items } = await analyse({ ...contextFor(hold, 1), engine }, of);
    expect(failure).toEqual({ kind: "engine_timeout", charged: true });
    expect(items[0]?.microNeurons).toBe(hold.stages[0]?.bound);
  });
});
