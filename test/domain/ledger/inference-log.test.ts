import { expect, it } from "vitest";
import { toInferences } from "../../../src/domain/ledger/inference-log.ts";
import type { Item, JournalLine } from "../../../src/domain/ledger/ledger.ts";

const item = (fields: Partial<Item>): Item => ({
  content: 0,
  stage: "generate",
  input: "prompt",
  model: "m",
  engine: "workers-ai",
  pricedAs: "m",
  task: "text_generation",
  calls: 1,
  units: { input_token: 7, cached_input_token: 3, output_token: 2 },
  microNeurons: 1_000_000_000 as Item["microNeurons"],
  overrun: 0 as Item["overrun"],
  basis: "measured",
  failed: false,
  ...fields,
});

const line = (items: readonly Item[]): JournalLine =>
  ({
    callId: "jnl_1",
    admittedAtMs: 1000,
    settledAtMs: 1250,
    day: 0,
    outcome: "posted",
    items,
  }) as unknown as JournalLine;

it("has the stages that asked an engine or failed to, by their place in the call", () => {
  const items = [
    item({ stage: "judge", calls: 0, model: null }),
    item({ latencyMs: 200 }),
    item({ engine: "cache", calls: 0 }),
    item({ calls: 0, model: null, failed: true }),
  ];
  expect(toInferences(line(items))).toMatchObject([
    {
      id: "jnl_1.1",
      input_tokens: 10,
      output_tokens: 2,
      cost_usd: "0.011",
      latency_ms: 200,
      call_ms: 250,
      success: true,
      context: null,
      session_id: null,
      document_id: null,
      run_id: null,
      step: null,
    },
    { id: "jnl_1.3", success: false, model: null, latency_ms: null },
  ]);
});
