import { describe, expect, it } from "vitest";
import { resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import { measureTask, windowsOf } from "../../../src/domain/documents/measure-analysis.ts";
import { DEFAULT_MODEL, planAnalysis } from "../../../src/domain/documents/plan-analysis.ts";
import { CATEGORIES } from "../../../src/domain/documents/prompts.ts";
import { planGeneration } from "../../../src/domain/generation/plan-generation.ts";
import { tokensAtMost } from "../../../src/domain/generation/token-bound.ts";
import { type MicroNeurons, sum } from "../../../src/domain/ledger/micro-neurons.ts";
import { costUsd } from "../../../src/domain/ledger/money.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import { defaultPolicy } from "../../../src/domain/moderation/presets.ts";
import type { FindModel } from "../../../src/domain/moderation/stage.ts";
import { MAX_PIPELINE_TEXT_BYTES, MAX_TRIES } from "../../../src/domain/pipelines/run.ts";
import { STEPS, taskOf } from "../../../src/domain/pipelines/step.ts";
import { chunkText } from "../../../src/domain/search/chunk-text.ts";
import { EMBEDDING_MODEL } from "../../../src/domain/search/search-models.ts";
import { measuredContents } from "../../../src/moderation/content.ts";

// The most that one document of a pipeline can cost, by arithmetic: what each of its steps would hold at
// the upper bound of its tokens, for each of the three tries.

const find: FindModel = (id) => resolveModel(id, { workersPlan: "paid", prices: {} });

const MODELS: readonly [string, ...string[]] = [DEFAULT_MODEL];

function boundOf(text: string): MicroNeurons {
  const subject = { type: "report", categories: CATEGORIES.report } as const;
  const windows = windowsOf(text);
  const tasks = STEPS.flatMap((step) => taskOf(step) ?? []);
  const analysis = planAnalysis(
    tasks.flatMap((task) => measureTask(task, subject, windows) ?? []),
    MODELS,
    find,
  );
  if (analysis.kind !== "planned") throw new Error(analysis.kind);
  const moderation = planModeration(
    defaultPolicy("workers-ai"),
    measuredContents([content(text)]),
    find,
  );
  if (moderation.kind !== "planned") throw new Error(moderation.kind);
  const texts = chunkText(text).map(({ start, end }) => tokensAtMost(text.slice(start, end)));
  const embedding = planGeneration({ kind: "embeddings", texts }, [EMBEDDING_MODEL], {
    find,
    defaultMaxTokens: 256,
    fitTo: null,
  });
  if (embedding.kind !== "planned") throw new Error(embedding.kind);
  const stages = [...analysis.stages, ...moderation.stages, embedding.stage];
  return sum(stages.map(({ bound }) => bound));
}

const content = (text: string) => ({
  verdictId: "vrd_1",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  text,
  pictures: [],
  test: null,
  batchId: null,
});

/** A text of the largest size. */
const filled = (piece: string): string =>
  piece.repeat(Math.floor(MAX_PIPELINE_TEXT_BYTES / new TextEncoder().encode(piece).byteLength));

describe("the bound of a document's cost", () => {
  it.each([
    ["English", "The weather is fine and the train was on time. "],
    ["characters that are a token for each byte", "😀 "],
    ["escapes", '"\\\u0001'],
    ["control characters", "\u0001"],
    ["rare characters", "\u{10FFFD}\n"],
  ])(
    "is below USD 0.10 for the largest text, with every step tried three times: %s",
    (_, piece) => {
      const most = boundOf(filled(piece)) * MAX_TRIES;
      expect(most).toBeGreaterThan(0);
      expect([costUsd(most), Number(costUsd(most)) < 0.1]).toEqual([expect.any(String), true]);
    },
  );
});
