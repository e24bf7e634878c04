import { describe, expect, it } from "vitest";
import {
  asEvidence,
  disagreement,
  harmfulIn,
  isDecidedAlone,
  isDrawnForJudge,
  requiredOfText,
} from "../../../src/domain/moderation/cascade.ts";
import type { Policy } from "../../../src/domain/moderation/policy.ts";
import { presetPolicy } from "../../../src/domain/moderation/presets.ts";
import { isSampled } from "../../../src/domain/text/hash.ts";
import { TEXT_MODEL } from "../../../src/domain/moderation/text-model.ts";
import type { DecidedSample, StageResult } from "../../../src/domain/moderation/verdict.ts";

const preset = presetPolicy("default", "workers-ai");
const categories = requiredOfText(preset);
const any = { allow_below: 0.2, block_above: 0.9, categories };
const tier0 = { model: TEXT_MODEL, thresholds: { any } };
const calibrated: Policy = { ...preset, tier0 };

const IDS = Array.from({ length: 20_000 }, (_, at) => `vrd_${at}`);
const drawn = (policy: Policy) => IDS.filter((id) => isDrawnForJudge(policy, id));

describe("the draw for the judge", () => {
  it("draws 2 of 100 of what is under thresholds, and the same again", () => {
    expect(drawn(calibrated).length / IDS.length).toBeCloseTo(0.02, 2);
    expect(drawn(calibrated)).toEqual(drawn(calibrated));
  });

  it("draws the share that a policy names, and nothing without thresholds", () => {
    expect(drawn({ ...calibrated, sample_decided: 0.3 }).length / IDS.length).toBeCloseTo(0.3, 1);
    expect(drawn({ ...calibrated, sample_decided: 1 })).toHaveLength(IDS.length);
    expect(drawn({ ...calibrated, sample_decided: 0 })).toEqual([]);
    expect(drawn({ ...preset, sample_decided: 1 })).toEqual([]);
  });

  it("is off in the preset that costs nothing", () => {
    expect(drawn({ ...presetPolicy("free", "workers-ai"), tier0 })).toEqual([]);
  });

  it("is another draw than the one for review", () => {
    const both = drawn(calibrated).filter((id) => isSampled(id, 0.02));
    expect(both.length).toBeLessThan(drawn(calibrated).length / 10);
  });
});

const judge = (
  sample: DecidedSample | undefined,
  fields: Partial<StageResult> = {},
): StageResult => ({
  name: "judge",
  input: "text",
  model: "@cf/a/b",
  priced_as: "@cf/a/b",
  engine: "workers-ai",
  status: "evaluated",
  scores: { hate: 0.1 },
  latency_ms: 0,
  micro_neurons: 10,
  basis: "measured",
  measurements: null,
  ...(sample !== undefined && { sample }),
  ...fields,
});

const passed = (...harmful: DecidedSample["harmful"]) => ({ decided: "allow", harmful }) as const;
const blocked = (...harmful: DecidedSample["harmful"]) =>
  ({ decided: "block", blockedFor: "hate", harmful }) as const;

describe("a judge of the sample", () => {
  it.each([
    ["agrees with a text that passed", judge(passed()), null],
    ["finds harm in it", judge(passed("hate")), "missed"],
    ["finds harm in the part that it read", judge(passed("hate"), { status: "failed" }), "missed"],
    ["agrees with a block", judge(blocked("toxicity")), null],
    ["finds nothing in a block", judge(blocked()), "wrong_block"],
    ["says nothing of a block", judge(blocked(), { status: "timed_out" }), null],
    ["reads what was left to it", judge({ decided: null, harmful: ["hate"] }), null],
    ["is no sample", judge(undefined), null],
  ])("%s", (_, stage, expected) => {
    expect(disagreement(stage)).toBe(expected);
  });

  it("counts as not asked where it did not answer", () => {
    const failed = judge(passed(), { status: "failed" });
    expect(asEvidence(failed)).toMatchObject({ status: "not_required", scores: {} });
    const partly = judge(passed("hate"), { status: "timed_out", scores: { hate: 0.9 } });
    expect(asEvidence(partly)).toMatchObject({ status: "evaluated", scores: { hate: 0.9 } });
    // It was left to the judge: a failure is a failure.
    const needed = judge({ decided: null, harmful: [] }, { status: "failed" });
    expect(asEvidence(needed)).toBe(needed);
  });

  it("leaves the decision to the text model, unless it raised it", () => {
    const read = judge(undefined, { name: "tier0", model: TEXT_MODEL });
    expect(isDecidedAlone([read, judge(passed())])).toBe(true);
    expect(isDecidedAlone([read, judge(passed(), { status: "failed" })])).toBe(true);
    expect(isDecidedAlone([read, judge(blocked())])).toBe(true);
    expect(isDecidedAlone([read, judge(passed("hate"))])).toBe(false);
    expect(isDecidedAlone([read, judge({ decided: null, harmful: [] })])).toBe(false);
  });
});

describe("harm under a policy", () => {
  it("is what reaches a threshold, of a text", () => {
    expect(harmfulIn(preset, { hate: 0.5, toxicity: 0.69, violence: 0.8 })).toEqual([
      "hate",
      "violence",
    ]);
    const elsewhere = { ...preset.categories.hate, inputs: [] };
    const policy = { ...preset, categories: { ...preset.categories, hate: elsewhere } };
    expect(harmfulIn(policy, { hate: 0.9 })).toEqual([]);
  });
});
