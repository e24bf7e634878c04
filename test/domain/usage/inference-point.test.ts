import { describe, expect, it } from "vitest";
import { inferencePoints } from "../../../src/domain/usage/inference-point.ts";
import { heldItem, type Item } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { stageOf } from "../ledger/ledger-fixtures.ts";

const ITEM: Item = {
  content: 0,
  stage: "judge",
  input: "text",
  model: "neurogate/lexicon@1",
  engine: "embedded",
  pricedAs: "@cf/meta/llama-3.1-8b-instruct-fp8",
  task: "text_generation",
  calls: 2,
  units: { input_token: 400, cached_input_token: 12, output_token: 58 },
  microNeurons: microNeurons(7_191_960),
  overrun: microNeurons(5),
  basis: "measured",
  failed: false,
  latencyMs: 612,
};

const outcome = (item: Partial<Item>) =>
  inferencePoints("acme", [{ ...ITEM, ...item }])[0]?.blobs[4];

describe("inferencePoints", () => {
  it("names what ran and counts what it took", () => {
    expect(inferencePoints("acme", [ITEM])).toEqual([
      {
        indexes: ["acme"],
        blobs: [
          "acme",
          "neurogate/lexicon@1",
          "text_generation",
          "judge",
          "answered",
          "embedded",
          "measured",
          "@cf/meta/llama-3.1-8b-instruct-fp8",
        ],
        doubles: [612, 412, 58, 7_191_960, 2, 5],
      },
    ]);
  });

  it("tells what failed and may have run from what did not run", () => {
    expect(outcome({ failed: true, basis: "held" })).toBe("failed");
    expect(outcome({ failed: true, model: null, engine: null, calls: 0 })).toBe("not_run");
  });

  it("tells of a stage of which nothing is known", () => {
    const [point] = inferencePoints("acme", [heldItem(stageOf(100))]);
    expect(point?.blobs.slice(4, 7)).toEqual(["failed", "unknown", "held"]);
    expect(point?.doubles.slice(0, 4)).toEqual([0, 10, 0, 100]);
  });

  it("leaves out what was neither asked nor failed", () => {
    expect(inferencePoints("acme", [{ ...ITEM, calls: 0 }])).toEqual([]);
  });

  it("keeps the names of a point short, whatever a model is called", () => {
    const [point] = inferencePoints("acme", [{ ...ITEM, model: "m".repeat(20_000) }]);
    expect(point?.blobs[1]).toHaveLength(256);
  });
});
