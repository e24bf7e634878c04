import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import {
  ANSWER_LENGTHS,
  COMPLEXITIES,
  type PromptFeatures,
  ROUTING_TASKS,
} from "../../../src/domain/generation/prompt-features.ts";
import {
  DEFAULT_ROUTING,
  pickModel,
  type Routing,
} from "../../../src/domain/generation/routing.ts";

const anyFeatures: fc.Arbitrary<PromptFeatures> = fc.record({
  task: fc.constantFrom(...ROUTING_TASKS),
  complexity: fc.constantFrom(...COMPLEXITIES),
  length: fc.constantFrom(...ANSWER_LENGTHS),
});

const FEATURES: PromptFeatures = { task: "code", complexity: "low", length: "short" };
const always = () => true;

const table: Routing = {
  rules: [
    { task: "code", complexity: "high", length: null, models: ["a"] },
    { task: "code", complexity: null, length: "short", models: ["b", "c"] },
    { task: null, complexity: null, length: null, models: ["d"] },
  ],
};

describe("the table", () => {
  it("is read from the top: all that a rule names must hold", () => {
    expect(pickModel(table, FEATURES, always)).toEqual({ model: "b", rule: 1 });
    expect(pickModel(table, { ...FEATURES, complexity: "high" }, always)?.model).toBe("a");
    expect(pickModel(table, { ...FEATURES, length: "long" }, always)?.model).toBe("d");
    expect(pickModel(table, { ...FEATURES, task: "creative" }, always)?.model).toBe("d");
  });

  it("passes over what may not run, then over the rule", () => {
    expect(pickModel(table, FEATURES, (id) => id !== "b")).toEqual({ model: "c", rule: 1 });
    expect(pickModel(table, FEATURES, (id) => id === "d")).toEqual({ model: "d", rule: 2 });
    expect(pickModel(table, FEATURES, () => false)).toBeNull();
    expect(pickModel({ rules: [] }, FEATURES, always)).toBeNull();
  });
});

describe("the default table", () => {
  it("names models that run on the free plan, and write", () => {
    for (const id of DEFAULT_ROUTING.rules.flatMap(({ models }) => models)) {
      const found = resolveModel(id, { workersPlan: "free", prices: {} });
      expect(found.kind, id).toBe("found");
      expect(found.kind === "found" && found.model.task, id).toBe("text_generation");
    }
  });

  it("has a model for whatever is asked, and with any one of its models allowed", () => {
    const named = [...new Set(DEFAULT_ROUTING.rules.flatMap(({ models }) => models))];
    fc.assert(
      fc.property(anyFeatures, fc.subarray(named), (features, allowed) => {
        const picked = pickModel(DEFAULT_ROUTING, features, (id) => allowed.includes(id));
        if (picked !== null) expect(allowed).toContain(picked.model);
        expect(pickModel(DEFAULT_ROUTING, features, always)).not.toBeNull();
      }),
    );
  });

  it("has no rule that is never reached", () => {
    const all = ROUTING_TASKS.flatMap((task) =>
      COMPLEXITIES.flatMap((complexity) =>
        ANSWER_LENGTHS.map((length) => ({ task, complexity, length })),
      ),
    );
    const reached = new Set(all.map((one) => pickModel(DEFAULT_ROUTING, one, always)?.rule));
    expect([...reached].toSorted((a, b) => Number(a) - Number(b))).toEqual(
      DEFAULT_ROUTING.rules.map((_, at) => at),
    );
  });
});
