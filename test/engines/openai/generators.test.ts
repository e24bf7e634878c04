import { afterEach, expect, it, vi } from "vitest";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { openAiGenerators } from "../../../src/engines/openai/generators.ts";

const MODEL = "@cf/baai/bge-m3";
/** Opaque to an engine: it is only asked for. */
const hold: Hold = JSON.parse("{}");

afterEach(() => {
  vi.restoreAllMocks();
});

const embed = (sent: object) => {
  vi.spyOn(globalThis, "fetch").mockResolvedValue(Response.json(sent));
  const server = { baseUrl: "http://engine.example/v1", models: { [MODEL]: "bge" } };
  const inference = { model: MODEL, texts: ["a"] };
  return openAiGenerators(server).embeddings?.(hold, inference, { timeoutMs: 5000 });
};

it("reads an error about embeddings that has status 200 as the status that it names", async () => {
  const busy = await embed({ error: { message: "slow down", code: 429 } });
  expect(busy).toMatchObject({ kind: "refused", retryable: true, status: 429 });
  const wrong = await embed({ error: { message: "too long", code: 400 } });
  expect(wrong).toMatchObject({ kind: "refused", rejection: { message: "too long" } });
});

it("reads the counts of embeddings that are strings of digits", async () => {
  const data = [{ index: 0, embedding: [1] }];
  const reply = await embed({ data, usage: { prompt_tokens: "5" } });
  expect(reply).toMatchObject({ kind: "answered", usage: { input_token: 5 } });
});
