import { describe, expect, it } from "vitest";
import { admittedModels, resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import { planGeneration } from "../../src/domain/generation/plan-generation.ts";
import { makeHold } from "../../src/domain/ledger/ledger.ts";
import { EMBEDDING_MODEL } from "../../src/domain/search/search-models.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { runGeneration } from "../../src/generation/run-generation.ts";

// Several calls of the engine for one generation.

/** Five calls: a hundred texts each. */
function planned() {
  const texts = Array.from({ length: 500 }, () => 3);
  const plan = planGeneration({ kind: "embeddings", texts }, [EMBEDDING_MODEL], {
    find: (id) => resolveModel(id, { workersPlan: null, prices: {} }),
    defaultMaxTokens: 1,
    fitTo: null,
  });
  if (plan.kind !== "planned") throw new Error(plan.kind);
  const { stage } = plan;
  const hold = makeHold({
    callId: "jnl_1",
    requestId: "req_1",
    route: "POST /v1/embeddings",
    keyId: null,
    userId: null,
    day: 0,
    admittedAtMs: 0,
    deadlineMs: 90_000,
    priceBook: "test",
    stages: [stage],
  });
  return { stage, hold, modelOf: admittedModels({}) };
}

/** @param answers after so many the time is up */
async function ran(atOnce: number | undefined, answers = Infinity) {
  const controller = new AbortController();
  const most = { asked: 0, running: 0 };
  let running = 0;
  let answered = 0;
  const embeddings: NonNullable<Engine["generators"]["embeddings"]> = async (_, { texts }) => {
    most.asked += 1;
    running += 1;
    most.running = Math.max(most.running, running);
    await scheduler.wait(0);
    running -= 1;
    answered += 1;
    if (answered === answers) controller.abort();
    const output = { vectors: texts.map(() => [1]) };
    return { kind: "answered", model: EMBEDDING_MODEL, output, usage: { input_token: 5 } };
  };
  const engine = { name: "workers-ai", generators: { embeddings } } as unknown as Engine;
  const context = { ...planned(), engine, signal: controller.signal, atOnce };
  const made = runGeneration(context, "embeddings", (model) => ({ model, texts: ["a"] }));
  return { ...(await made), most };
}

describe("the engine calls of one generation", () => {
  it.each([
    // Of embeddings.
    [undefined, 4],
    [2, 2],
    [1, 1],
  ])(
    "run at once as many as are asked for, or as many as their kind may: %s",
    async (atOnce, running) => {
      const { result, most, item } = await ran(atOnce);
      expect([most, item.calls]).toEqual([{ asked: 5, running }, 5]);
      expect(result).toMatchObject({ kind: "answered", at: [0, 1, 2, 3, 4] });
    },
  );

  it("are not begun, nor charged, when the time is up before their turn", async () => {
    const whole = await ran(1);
    const cut = await ran(1, 2);
    expect([cut.most.asked, cut.item.calls, cut.item.basis]).toEqual([2, 2, "measured"]);
    expect(cut.result).toEqual({ kind: "engine_timeout", charged: true });
    expect(cut.item.microNeurons * 5).toBe(whole.item.microNeurons * 2);
  });
});
