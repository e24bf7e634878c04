import * as v from "valibot";
import { BATCH_STATES, MAX_BATCH_ITEMS } from "../../domain/moderation/batch.ts";
import { DECISIONS } from "../../domain/moderation/verdict.ts";
import { VerdictInput } from "./content.ts";
import { microNeuronsOut, name, time } from "../field.ts";

// Batches on the wire.

export const BatchInput = v.strictObject({
  items: v.pipe(
    v.array(VerdictInput),
    v.minLength(1),
    v.maxLength(MAX_BATCH_ITEMS),
    v.description("Requests as `POST /v1/verdicts` takes them."),
  ),
  resume: v.optional(
    v.nullable(
      v.pipe(
        v.literal("next_period"),
        v.description("Goes on at 00:00 UTC when the day's neurons are spent; else it stops."),
      ),
    ),
    null,
  ),
});

const count = v.pipe(v.number(), v.integer());

export const BatchOutput = v.object({
  id: name("`bat_` and a ULID."),
  object: v.literal("batch"),
  state: v.picklist(BATCH_STATES),
  counts: v.object({
    items: count,
    pending: count,
    succeeded: v.pipe(count, v.description("Items with a verdict.")),
    failed: count,
    allow: count,
    flag: count,
    block: count,
    failed_as: v.pipe(v.record(v.string(), count), v.description("By the kind of failure.")),
  }),
  micro_neurons: microNeuronsOut("What it cost so far."),
  neurons: v.number(),
  resume: v.nullable(v.literal("next_period")),
  stopped_as: v.pipe(
    v.nullable(v.string()),
    v.description("The refusal that stopped it: `quota_exceeded`."),
  ),
  resumes_at: v.nullable(time("When it goes on, while it waits for that.")),
  created_at: time("When it was made."),
  progress_at: time("When it last came further."),
  finished_at: v.nullable(time("When it ended.")),
  duration_ms: v.nullable(v.number()),
});

export const BatchStepOutput = v.object({
  object: v.literal("batch_step"),
  batch_id: v.string(),
  step: v.pipe(count, v.description("From 0; ten items each.")),
  state: v.picklist(["running", "waiting", "done"]),
  attempts: v.pipe(count, v.description("How often it was run, repeats after a crash included.")),
  rounds: v.pipe(
    count,
    v.description("How often its items were taken up: once more after a wait."),
  ),
  started_at: time("When it was first begun."),
  finished_at: v.nullable(time("When all of its items had come to something.")),
  duration_ms: v.nullable(v.number()),
  micro_neurons: microNeuronsOut("What it cost."),
  items: v.array(
    v.object({
      index: count,
      decision: v.nullable(v.picklist(DECISIONS)),
      failed_as: v.nullable(v.string()),
      micro_neurons: microNeuronsOut("What it cost."),
    }),
  ),
});
