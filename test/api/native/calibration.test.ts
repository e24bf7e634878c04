import { expect, it } from "vitest";
import * as v from "valibot";
import { toCalibration } from "../../../src/api/native/calibration.ts";
import { CascadeRules } from "../../../src/api/native/cascade-rules.ts";
import type { CalibratedHead } from "../../../src/domain/moderation/calibration.ts";
import { CASCADE_HEADS } from "../../../src/domain/moderation/cascade.ts";
import { forEach } from "../../../src/domain/moderation/category.ts";

const found = (threshold: number) => ({
  status: "found" as const,
  threshold,
  measured: { examples: 400, wrong: 0, bound: 0.01 },
  needed: 300,
});

const examples = {
  received: 800,
  repeated: 0,
  unread: 0,
  used: 800,
  sampled: 0,
  reviewed: 0,
  suggested: 0,
};

const proposed = (allow: number, block: number) => {
  const head: CalibratedHead = {
    allowBelow: found(allow),
    blockAbove: found(block),
    decided: { texts: 800, allowed: 400, blocked: 400 },
  };
  return toCalibration(
    { name: "default", version: 1 },
    { maxMissRate: 0.02, confidence: 0.95 },
    {
      model: "neurogate/tier0@1",
      examples,
      categories: ["hate"],
      heads: forEach(CASCADE_HEADS, () => head),
    },
    null,
  ).tier0;
};

it.each([
  [0.2, 0.9, 0.2],
  [0.9, 0.3, 0.3],
])(
  "a policy takes what is proposed for an allow_below of %f and a block_above of %f",
  (allow, block, proposedAllow) => {
    const tier0 = proposed(allow, block);
    expect(tier0?.thresholds["any"]).toEqual({
      allow_below: proposedAllow,
      block_above: block,
      categories: ["hate"],
    });
    expect(v.is(CascadeRules, tier0)).toBe(true);
  },
);
