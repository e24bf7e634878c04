import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOGUE, type Model, resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import { takesPictures } from "../../../src/domain/generation/token-bound.ts";
import { BASES, type Basis } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { type CheckStage, planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import { defaultPolicy } from "../../../src/domain/moderation/presets.ts";
import {
  type CallEnd,
  type Charge,
  chargeOf,
  leastSure,
  type CheckStageName,
  type PlannedCall,
} from "../../../src/domain/moderation/stage.ts";

function model(id: string): Model {
  const found = CATALOGUE.get(id);
  if (found === undefined) throw new Error(`${id} is not in the catalogue`);
  return found;
}

const MODELS: Readonly<Record<CheckStageName, Model>> = {
  sentiment: model("@cf/huggingface/distilbert-sst-2-int8"),
  judge: model("@cf/meta/llama-3.1-8b-instruct-fp8"),
  labels: model("@cf/microsoft/resnet-50"),
  vision: model("@cf/meta/llama-3.2-11b-vision-instruct"),
};

const call = (
  units: PlannedCall["units"],
  { bound, ownTokens = 0 }: { bound: number; ownTokens?: number },
): PlannedCall => ({ units, ownTokens, bound: microNeurons(bound) });

/** The calls of plan-moderation.test.ts, of which the bounds were worked by hand. */
const CALLS: Readonly<Record<CheckStageName, PlannedCall>> = {
  sentiment: call({ input_token: 45 }, { bound: 107_730 }),
  judge: call({ input_token: 741, output_token: 256 }, { bound: 16_898_266, ownTokens: 696 }),
  labels: call({ image: 1 }, { bound: 228_055 }),
  vision: call({ input_token: 7104, output_token: 512 }, { bound: 62_813_056, ownTokens: 643 }),
};

const charge = (stage: CheckStageName, end: CallEnd): Charge =>
  chargeOf(end, CALLS[stage], { stage, model: MODELS[stage] });

const answered = (usage: Extract<CallEnd, { kind: "answered" }>["usage"] = null): CallEnd => ({
  kind: "answered",
  usage,
  simulated: false,
});
const simulated: CallEnd = { kind: "answered", usage: null, simulated: true };
const unknown: CallEnd = { kind: "unknown", usage: null };

describe("chargeOf", () => {
  it.each<[CheckStageName, string, CallEnd, number, Basis]>([
    // 23 of 45 tokens
    ["sentiment", "answered", answered(), 55_062, "estimated"],
    ["sentiment", "simulated", simulated, 55_062, "estimated"],
    ["sentiment", "unknown", unknown, 107_730, "held"],
    // The contract's judge: 412 in, 58 out
    ["judge", "reported", answered({ input_token: 412, output_token: 58 }), 7_191_960, "measured"],
    ["judge", "answered without usage", answered(), 16_898_266, "held"],
    // Its own 696 tokens and half of 45: 719 x 13,778; 110 x 26,128
    ["judge", "simulated", simulated, 12_780_462, "estimated"],
    ["judge", "unknown", unknown, 16_898_266, "held"],
    [
      "judge",
      "no answer, but usage",
      { kind: "unknown", usage: { input_token: 412, output_token: 58 } },
      7_191_960,
      "measured",
    ],
    ["labels", "answered", answered(), 228_055, "counted"],
    ["labels", "simulated", simulated, 228_055, "counted"],
    ["labels", "reported", answered({ image: 1 }), 228_055, "counted"],
    ["labels", "unknown", unknown, 228_055, "held"],
    // 643 and half of 6,461: 3,874 x 4,410; 110 x 61,493
    ["vision", "simulated", simulated, 23_848_570, "estimated"],
    ["vision", "answered without usage", answered(), 62_813_056, "held"],
    ["vision", "unknown", unknown, 62_813_056, "held"],
  ])("%s, %s", (stage, _, end, amount, basis) => {
    expect(charge(stage, end)).toMatchObject({ microNeurons: amount, basis, overrun: 0 });
  });

  it.each(["sentiment", "judge", "labels", "vision"] as const)("%s that never ran", (stage) => {
    expect(charge(stage, { kind: "not_run" })).toEqual({
      microNeurons: 0,
      overrun: 0,
      units: {},
      basis: "measured",
    });
  });

  it("names the units that it charges", () => {
    expect(charge("sentiment", answered()).units).toEqual({ input_token: 23 });
    expect(charge("judge", simulated).units).toEqual({ input_token: 719, output_token: 110 });
    expect(charge("judge", unknown).units).toEqual(CALLS.judge.units);
    expect(charge("labels", answered()).units).toEqual({ image: 1 });
    const usage = { input_token: 1, output_token: 2, cached_input_token: 3 };
    expect(charge("judge", answered(usage)).units).toEqual(usage);
  });

  it("takes no more than the bound: what was used beyond it is overrun", () => {
    const usage = { input_token: 742, output_token: 256 };
    expect(charge("judge", answered(usage))).toEqual({
      microNeurons: 16_898_266,
      overrun: 13_778,
      units: usage,
      basis: "measured",
    });
  });

  it("keeps an estimate under the bound, without an overrun: nothing was reported", () => {
    const tight = call({ input_token: 741, output_token: 256 }, { bound: 100, ownTokens: 696 });
    const estimated = chargeOf(simulated, tight, { stage: "judge", model: MODELS.judge });
    expect(estimated).toMatchObject({ microNeurons: 100, overrun: 0, basis: "estimated" });
  });

  it("takes the price of the model that was asked, the fallback's too", () => {
    const dear = model("@cf/meta/llama-3.3-70b-instruct-fp8-fast");
    const planned = call(CALLS.judge.units, { bound: 65_790_748, ownTokens: 696 });
    const end = answered({ input_token: 412, output_token: 58 });
    // 412 x 26,668 + 58 x 204,805
    expect(chargeOf(end, planned, { stage: "judge", model: dear }).microNeurons).toBe(22_865_906);
  });
});

function expectWithin(stage: CheckStage): void {
  for (const id of [stage.model, ...stage.fallbacks]) {
    for (const planned of stage.calls) {
      const cost = chargeOf(simulated, planned, { stage: stage.name, model: model(id) });
      expect(cost.microNeurons).toBeLessThanOrEqual(planned.bound);
      // Nothing was reported, so nothing can have been used beyond it.
      expect(cost.overrun).toBe(0);
      expect(cost.units.input_token ?? 0).toBeLessThanOrEqual(planned.units.input_token ?? 0);
      expect(cost.units.output_token ?? 0).toBeLessThanOrEqual(planned.units.output_token ?? 0);
    }
  }
}

describe("an estimate", () => {
  const judges = [...CATALOGUE.values()].filter(
    ({ id, task }) =>
      task === "text_generation" &&
      resolveModel(id, { workersPlan: "paid", prices: {} }).kind === "found",
  );
  const anyJudge = fc.constantFrom(...judges);
  const tokens = fc.oneof(fc.nat(200), fc.nat(40_000));

  it("is never above the bound, for any models, texts and pictures", () => {
    const anySight = fc.constantFrom(...judges.filter(takesPictures));
    fc.assert(
      fc.property(
        anyJudge,
        anyJudge,
        anySight,
        fc.array(tokens),
        (judge, fallback, sight, sizes) => {
          const policy = defaultPolicy("workers-ai");
          const models = { judge: judge.id, judge_fallback: fallback.id, vision: sight.id };
          const plan = planModeration(
            { ...policy, models },
            [{ text: { sentiment: sizes, judge: sizes }, pictures: 1 }],
            (id) => ({ kind: "found", model: model(id) }),
          );
          if (plan.kind !== "planned") throw new Error(plan.kind);
          for (const stage of plan.stages) expectWithin(stage);
        },
      ),
    );
  });
});

describe("leastSure", () => {
  it("is the last of the bases that occurs; of nothing, measured", () => {
    expect(leastSure([])).toBe("measured");
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...BASES), { minLength: 1 }), (bases) => {
        const least = Math.max(...bases.map((basis) => BASES.indexOf(basis)));
        expect(leastSure(bases)).toBe(BASES[least]);
      }),
    );
    expect(BASES).toEqual(["measured", "counted", "estimated", "held"]);
  });
});
