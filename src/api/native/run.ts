import * as v from "valibot";
import { RUN_STATES } from "../../domain/runs/run.ts";
import { time } from "../field.ts";

// What batches and runs of pipelines have in common on the wire.

export const resumeInput = v.optional(
  v.nullable(
    v.pipe(
      v.literal("next_period"),
      v.description("Goes on at 00:00 UTC when the day's neurons are spent; else it stops."),
    ),
  ),
  null,
);

export const runState = v.picklist(RUN_STATES);

export const wholeCount = v.pipe(v.number(), v.integer());

export const failedAs = v.pipe(
  v.record(v.string(), wholeCount),
  v.description("By the kind of failure."),
);

/** The fields of `progressOf`. */
export const progress = {
  context: v.pipe(
    v.nullable(v.string()),
    v.description("The label of its calls: `x-neurogate-context` of its request."),
  ),
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
};

/**
 * The fields of `stepTimesOf`.
 *
 * @param ended when a step has ended
 */
export const stepTimes = (ended: string) => ({
  started_at: time("When it was first begun."),
  finished_at: v.nullable(time(ended)),
  duration_ms: v.nullable(v.number()),
});
