import type { Item } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { PlannedStage } from "../../../src/domain/moderation/stage.ts";

// Stages and items for the tests of the ledger: only their amounts matter.

export const stageOf = (bound: number, calls = 1): PlannedStage => ({
  content: 0,
  name: "judge",
  input: "text",
  model: "@cf/meta/llama-3.1-8b-instruct-fp8",
  fallbacks: [],
  task: "text_generation",
  rateClass: "text_generation",
  calls: Array.from({ length: calls }, () => ({
    units: { input_token: 10 },
    ownTokens: 0,
    bound: microNeurons(bound / calls),
  })),
  units: { input_token: 10 * calls },
  bound: microNeurons(bound),
});

export const itemOf = (amount: number, fields: Partial<Item> = {}): Item => ({
  content: 0,
  stage: "judge",
  input: "text",
  model: "@cf/meta/llama-3.1-8b-instruct-fp8",
  engine: "workers-ai",
  pricedAs: "@cf/meta/llama-3.1-8b-instruct-fp8",
  task: "text_generation",
  calls: 1,
  units: { input_token: 10 },
  microNeurons: microNeurons(amount),
  overrun: microNeurons(0),
  basis: "measured",
  failed: false,
  ...fields,
});

/** Of a stage that asked no engine. */
export const unasked: Item = itemOf(0, { model: null, engine: null, calls: 0, units: {} });
