import type { Mutation } from "../mutation.ts";

/** Pipelines over documents. */
export const PIPELINES: readonly Mutation[] = [
  {
    what: "a step of a pipeline that is tried again does not ask the object",
    file: "src/pipelines/run-step.ts",
    from: "  memory.begun = null;\n",
    to: "",
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "a step of a pipeline is counted as often as it is reported",
    file: "durable-objects/tenant/pipelines/run-steps.ts",
    from: 'if (before.state !== "running") {',
    to: 'if (before.state === "waiting") {',
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "a step of a pipeline that is repeated makes a new call",
    file: "durable-objects/tenant/pipelines/run-steps.ts",
    from: "roundAtMs: repeats ? before.roundAtMs : tx.nowMs,",
    to: "roundAtMs: tx.nowMs,",
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "a document that the policy blocks goes on through its pipeline",
    file: "src/pipelines/steps/moderate.ts",
    from: 'return decision === "block"',
    to: 'return decision === "flag"',
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "results of a document that was deleted meanwhile stay in the bucket",
    file: "durable-objects/tenant/pipelines/run-steps.ts",
    from: "documents.expectFiles({ file, documentId: id }, nowMs);",
    to: "",
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "the files of a run are erased while its steps may still write some",
    file: "durable-objects/tenant/runs/run-recovery.ts",
    from: "finishedAtMs + LATE_FILES_MS,",
    to: "finishedAtMs,",
    tests: ["test/routes/pipelines.test.ts", "test/routes/batches.test.ts"],
  },
  {
    what: "a pipeline goes on with another document that got the id of the one it read",
    file: "src/pipelines/step-context.ts",
    from: "return kept === file;",
    to: "return kept !== null;",
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "an erasure does not wait for the files of pipelines",
    file: "durable-objects/tenant/privacy/erasures.ts",
    from: "if (batches.open().length + pipelines.open().length > 0)",
    to: "if (batches.open().length > 0)",
    tests: ["test/routes/pipelines.test.ts"],
  },
  {
    what: "a step that reports after its run was stopped is not in the run's cost",
    file: "durable-objects/tenant/pipelines/run-steps.ts",
    from: "pipeline_micro_neurons: after.microNeurons - before.microNeurons,",
    to: "pipeline_micro_neurons: 0,",
    tests: ["test/routes/pipelines.test.ts"],
  },
];
