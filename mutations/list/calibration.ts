import type { Mutation } from "../mutation.ts";

/** Thresholds of the text model: how they decide, what is measured, and what they learn from. */
export const CALIBRATION: readonly Mutation[] = [
  {
    what: "thresholds of another version of the text model decide",
    file: "src/domain/moderation/cascade.ts",
    from: "read.model !== rules.model",
    to: "read.model === null",
    tests: ["test/domain/moderation/cascade.test.ts"],
  },
  {
    what: "a threshold of all heads passes categories that it was not calibrated for",
    file: "src/domain/moderation/cascade.ts",
    from: "any.categories !== undefined && uncalibratedBy(any, policy).length === 0",
    to: "any.categories !== undefined",
    tests: ["test/domain/moderation/cascade.test.ts"],
  },
  {
    what: "a threshold of all heads decides without the categories that it was calibrated for",
    file: "src/domain/moderation/cascade.ts",
    from: "any.categories !== undefined && ",
    to: "",
    tests: ["test/domain/moderation/cascade.test.ts"],
  },
  {
    what: "the text model blocks somebody in distress unseen",
    file: "src/domain/moderation/cascade.ts",
    from: "if (isDistress) return null;",
    to: "",
    tests: ["test/domain/moderation/cascade.test.ts"],
  },
  {
    what: "the text model passes a text that the policy would flag",
    file: "src/moderation/free-stages.ts",
    from: "return alone.approved ? cascade : null;",
    to: "return alone.decision === undefined ? null : cascade;",
    tests: ["test/routes/cascade.test.ts"],
  },
  {
    what: "calibration returns a threshold that was wrong in the measurement",
    file: "src/domain/moderation/calibration.ts",
    from: "measured.bound <= terms.maxMissRate && ",
    to: "",
    tests: ["test/domain/moderation/calibration.test.ts"],
  },
  {
    what: "a judge of the sample that failed changes the verdict",
    file: "src/domain/moderation/cascade.ts",
    from: `: { ...stage, status: "not_required", scores: {} };`,
    to: ": stage;",
    tests: ["test/domain/moderation/decided-sample.test.ts"],
  },
  {
    what: "the sample ends the account's day",
    file: "src/moderation/moderate.ts",
    from: "const account = cascade === null ? run.account : null;",
    to: "const { account } = run;",
    tests: ["test/routes/decided-sample.test.ts"],
  },
  {
    what: "the preset that costs nothing has a paid sample",
    file: "src/domain/moderation/presets.ts",
    from: `unevaluated: "allow", sample_decided: 0 }`,
    to: `unevaluated: "allow" }`,
    tests: ["test/domain/moderation/decided-sample.test.ts"],
  },
  {
    what: "drift is reported without proof",
    file: "src/domain/moderation/cascade-drift.ts",
    from: "if (bound <= promisedRate) return;",
    to: "if (wrong / examples <= promisedRate) return;",
    tests: ["test/domain/moderation/cascade-drift.test.ts"],
  },
  {
    what: "reviews of flagged texts earn a threshold to let texts pass",
    file: "src/domain/moderation/calibration.ts",
    from: "(harmful ? random : examples)",
    to: "examples",
    tests: ["test/domain/moderation/calibration.test.ts"],
  },
  {
    what: "a public key leaves labelled texts",
    file: "durable-objects/tenant/examples/suggestions.ts",
    from: `return role !== undefined && role !== "score";`,
    to: "return role !== undefined;",
    tests: ["test/routes/suggestions.test.ts"],
  },
];
