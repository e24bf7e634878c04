import { expect, it } from "vitest";
import { presetPolicy } from "../../src/domain/moderation/presets.ts";
import { TEXT_MODEL_CATEGORIES } from "../../src/domain/moderation/text-model.ts";
import { calibrate, readExamples } from "../../src/moderation/calibrate.ts";
import type { JudgeText } from "../../src/moderation/free-stages.ts";

const policy = presetPolicy("default", "workers-ai");
const terms = { maxMissRate: 0.1, confidence: 0.9 };

const judged: JudgeText = async () => ({
  kind: "judged",
  scores: Object.fromEntries(TEXT_MODEL_CATEGORIES.map((category) => [category, 0.1])),
  negativity: 0,
  injection: 0,
  spansOf: () => [],
});

const examples = (count: number, length: number) =>
  Array.from({ length: count }, (_, at) => ({
    text: `${at} ${"We met at the old mill. ".repeat(length / 24)}`,
    labels: { toxicity: false },
  }));

const nobody: JudgeText = async () => ({ kind: "unavailable" });

it("comes to nothing without the text model", async () => {
  expect(await calibrate(nobody, policy, { ...terms, examples: examples(2, 24) })).toBeNull();
});

it("lets others have their turn while it reads", async () => {
  let isOthersTurn = false;
  const seen: boolean[] = [];
  const looking: JudgeText = (text) => {
    seen.push(isOthersTurn);
    return judged(text);
  };
  setTimeout(() => (isOthersTurn = true), 0);
  const made = await readExamples(looking, policy, examples(12, 4800));
  expect(made?.counts.used).toBe(12);
  expect([seen[0], seen.at(-1)]).toEqual([false, true]);
});
