import { describe, expect, it } from "vitest";
import {
  explained,
  MOST_EXPLAINED,
  type SpansOf,
  TEXT_MODEL,
} from "../../../src/domain/moderation/text-model.ts";
import type { Category, Scores } from "../../../src/domain/moderation/category.ts";
import type { Reason, StageResult } from "../../../src/domain/moderation/verdict.ts";

const reason = (category: Category | null, fields: Partial<Reason> = {}): Reason => ({
  kind: "score",
  category,
  input: "text",
  score: 0.6,
  threshold: 0.5,
  message: "a message",
  ...fields,
});

const stage = (model: string, scores: Scores): StageResult => ({
  name: "tier0",
  input: "text",
  model,
  priced_as: null,
  engine: "embedded",
  status: "evaluated",
  scores,
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
});

/** Says each category's name as a place, and counts what it was asked. */
function counting() {
  const asked: string[] = [];
  const spansOf: SpansOf = (of) => {
    asked.push(of);
    return [{ start: 0, end: of.length }];
  };
  return { asked, spansOf };
}

const own = [stage(TEXT_MODEL, { hate: 0.6, toxicity: 0.6, sexual: 0.6, harassment: 0.6 })];

describe("the places of a reason", () => {
  it("are told of what the text model scored, in the order of the reasons", () => {
    const { asked, spansOf } = counting();
    const reasons = [reason("hate"), reason("violence"), reason("toxicity")];
    expect(explained(reasons, own, spansOf)).toEqual([
      { ...reason("hate"), spans: [{ start: 0, end: 4 }] },
      reason("violence"),
      { ...reason("toxicity"), spans: [{ start: 0, end: 8 }] },
    ]);
    expect(asked).toEqual(["hate", "toxicity"]);
  });

  it("are not told of a language model's score, a picture, a term or a gap", () => {
    const { asked, spansOf } = counting();
    const reasons = [
      reason("hate", { score: 0.9 }),
      reason("hate", { input: "images/0" }),
      reason(null, { kind: "term", score: null }),
      reason("toxicity", { kind: "unavailable", score: null }),
    ];
    expect(explained(reasons, own, spansOf)).toEqual(reasons);
    const judge = [stage("@cf/meta/llama-3.1-8b-instruct-fp8", { hate: 0.6 })];
    expect(explained([reason("hate")], judge, spansOf)).toEqual([reason("hate")]);
    expect(asked).toEqual([]);
  });

  it("are asked for a bounded number of times", () => {
    const { asked, spansOf } = counting();
    const reasons = Array.from({ length: 20 }, () => reason("hate"));
    const told = explained(reasons, own, spansOf);
    expect(asked).toHaveLength(MOST_EXPLAINED);
    expect(told.filter(({ spans }) => spans !== undefined)).toHaveLength(MOST_EXPLAINED);
  });

  it("are absent where nothing stands out", () => {
    expect(explained([reason("hate")], own, () => [])).toEqual([reason("hate")]);
  });
});
