import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOGUE, resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Measured, planGeneration } from "../../../src/domain/generation/plan-generation.ts";

const find = (id: string) => resolveModel(id, { workersPlan: "paid", prices: {} });
const writers = [...CATALOGUE.values()]
  .filter(({ id, task }) => task === "text_generation" && find(id).kind === "found")
  .map(({ id }) => id);

const anyChat: fc.Arbitrary<Extract<Measured, { kind: "chat" }>> = fc.record({
  kind: fc.constant("chat" as const),
  chat: fc.record({
    textTokens: fc.nat(300_000),
    messages: fc.integer({ min: 1, max: 50 }),
    images: fc.constant(0),
    tools: fc.nat(5),
  }),
  maxTokens: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
  choices: fc.integer({ min: 1, max: 8 }),
});

describe("a call that is cut to fit", () => {
  it("is within what is left, and by one token as near as it gets, on any model", () => {
    const ids = fc.uniqueArray(fc.constantFrom(...writers), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(anyChat, ids, fc.nat(20_000_000_000), (measured, [id = "", ...others], left) => {
        const available = microNeurons(left);
        const plan = (maxTokens: number | null, fits: boolean) => {
          const terms = { find, defaultMaxTokens: 1024, fitTo: fits ? available : null };
          const made = planGeneration({ ...measured, maxTokens }, [id, ...others], terms);
          if (made.kind !== "planned") throw new Error(made.kind);
          return made.stage;
        };
        const stage = plan(measured.maxTokens, true);
        const wanted = measured.maxTokens ?? 1024;
        if (stage.bound > available) {
          // Only where not even one token fits: the refusal tells of what was asked.
          expect(plan(1, false).bound).toBeGreaterThan(available);
          expect([stage.clamped, stage.maxTokens]).toEqual([false, wanted]);
        } else if (stage.clamped) {
          expect(stage.maxTokens).toBeLessThan(wanted);
          expect(plan((stage.maxTokens ?? 0) + 1, false).bound).toBeGreaterThan(available);
        } else {
          expect(stage.maxTokens).toBe(wanted);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
