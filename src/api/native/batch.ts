import * as v from "valibot";
import { MAX_BATCH_ITEMS } from "../../domain/moderation/batch.ts";
import { DECISIONS } from "../../domain/moderation/verdict.ts";
import { VerdictInput } from "./content.ts";
import { microNeuronsOut, name } from "../field.ts";
import { failedAs, progress, resumeInput, runState, stepTimes, wholeCount } from "./run.ts";
import { strictObject } from "../object-input.ts";

// Batches on the wire.

export const BatchInput = strictObject({
  items: v.pipe(
    v.array(VerdictInput),
    v.minLength(1),
    v.maxLength(MAX_BATCH_ITEMS),
    v.description("Requests as `POST /v1/verdicts` takes them."),
  ),
  resume: resumeInput,
});

export const BatchOutput = v.object({
  id: name("`bat_` and a ULID."),
  object: v.literal("batch"),
  state: runState,
  counts: v.object({
    items: wholeCount,
    pending: wholeCount,
    succeeded: v.pipe(wholeCount, v.description("Items with a verdict.")),
    failed: wholeCount,
    allow: wholeCount,
    flag: wholeCount,
    block: wholeCount,
    failed_as: failedAs,
  }),
  micro_neurons: microNeuronsOut("What it cost so far."),
  neurons: v.number(),
  ...progress,
});

export const BatchStepOutput = v.object({
  object: v.literal("batch_step"),
  batch_id: v.string(),
  step: v.pipe(wholeCount, v.description("From 0; ten items each.")),
  state: v.picklist(["running", "waiting", "done"]),
  attempts: v.pipe(
    wholeCount,
    v.description("How often it was run, repeats after a crash included."),
  ),
  rounds: v.pipe(
    wholeCount,
    v.description("How often its items were taken up: once more after a wait."),
  ),
  ...stepTimes("When all of its items had come to something."),
  micro_neurons: microNeuronsOut("What it cost."),
  items: v.array(
    v.object({
      index: wholeCount,
      decision: v.nullable(v.picklist(DECISIONS)),
      failed_as: v.nullable(v.string()),
      micro_neurons: microNeuronsOut("What it cost."),
    }),
  ),
});
