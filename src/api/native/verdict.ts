import * as v from "valibot";
import { CATEGORIES, forEach } from "../../domain/moderation/category.ts";
import { BASES } from "../../domain/ledger/ledger.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import {
  ACTIONS,
  CHECK_FAILURES,
  CHECK_STATUSES,
  COVERAGE_STATUSES,
  DECISIONS,
  PRIORITIES,
  REASON_KINDS,
  type Revision,
  STAGE_NAMES,
} from "../../domain/moderation/verdict.ts";
import { microNeuronsOut, name, time, wholeNumber } from "../field.ts";
import { strictObject } from "../object-input.ts";

// A verdict on the wire.

const category = v.picklist(CATEGORIES);
const score = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const status = v.picklist(CHECK_STATUSES);
const coverage = v.picklist(COVERAGE_STATUSES);
const input = v.pipe(
  v.string(),
  v.description("`text`, `images/<index>`, or `images/<index>/text`: the writing in that picture."),
);

const Scores = v.pipe(
  v.object(forEach(CATEGORIES, () => v.optional(score))),
  v.description("The maximum over inputs, only of what was evaluated."),
);

/** Beside what a busy judge left undecided. */
export const RetryAfterMs = v.pipe(
  v.number(),
  v.description(
    "With `no_capacity`: how long the engine asked to wait, in milliseconds; absent if it did not say.",
  ),
);

const Stage = v.object({
  name: v.picklist(STAGE_NAMES),
  input,
  model: v.nullable(v.pipe(v.string(), v.description("What ran; null for our own rules."))),
  engine: v.string(),
  status,
  scores: Scores,
  latency_ms: v.number(),
  micro_neurons: microNeuronsOut("What it cost."),
  basis: v.picklist(BASES),
  priced_as: v.nullable(v.pipe(v.string(), v.description("The model whose price was taken."))),
  measurements: v.pipe(
    v.nullable(
      v.object({
        format: v.string(),
        width: v.number(),
        height: v.number(),
        brightness: v.number(),
        contrast: v.number(),
        colourfulness: v.number(),
      }),
    ),
    v.description("What was measured of a picture's pixels; a report, not a judgement."),
  ),
  failure: v.pipe(
    v.nullable(
      v.object({
        kind: v.picklist(CHECK_FAILURES),
        upstream_status: v.optional(v.number()),
        retry_after_ms: v.exactOptional(RetryAfterMs),
      }),
    ),
    v.description("Why it was not evaluated, or failed; null also for older verdicts."),
  ),
  instructions: v.pipe(
    v.nullable(v.string()),
    v.description(
      "The version of the instructions of the language model that judged, such as `judge@2`; null if none judged, and for older verdicts.",
    ),
  ),
  sampled: v.pipe(
    v.boolean(),
    v.description(
      "The judge was asked as a sample of what the text model had decided already: it may have raised the decision, and a failure of it changes nothing.",
    ),
  ),
});

const Reason = v.object({
  kind: v.picklist(REASON_KINDS),
  category: v.nullable(category),
  input,
  score: v.nullable(score),
  threshold: v.nullable(score),
  message: v.string(),
  term: v.exactOptional(
    v.pipe(
      v.string(),
      v.description(
        "The block term of a reason of kind `term`, as the policy has it; present with `spans`.",
      ),
    ),
  ),
  spans: v.exactOptional(
    v.pipe(
      v.array(v.object({ start: v.number(), end: v.number() })),
      v.description(
        "The places in the text that are the reason, in UTF-16 units, if the check can name them; only in what keys of the roles `review` and `manage` read.",
      ),
    ),
  ),
});

export const VerdictOutput = v.object({
  id: name("`vrd_` and a ULID."),
  object: v.literal("verdict"),
  content_id: v.nullable(v.string()),
  user_id: v.nullable(v.string()),
  metadata: v.record(v.string(), v.string()),
  language: v.nullable(v.string()),
  decision: v.picklist(DECISIONS),
  approved: v.pipe(
    v.boolean(),
    v.description("Allowed, with every required check evaluated, or allowed by a person."),
  ),
  partial: v.pipe(
    v.boolean(),
    v.description("Some category that the policy asks for was not evaluated, required or not."),
  ),
  decided_by: v.picklist(["policy", "review"]),
  decided_by_tier0: v.pipe(
    v.boolean(),
    v.description(
      "The text model inside the Worker decided of the text, by thresholds of the policy; no judge was asked, or one was asked as a sample and did not raise the decision.",
    ),
  ),
  revision: v.number(),
  actions: v.array(v.picklist(ACTIONS)),
  reasons: v.array(Reason),
  scores: Scores,
  coverage: v.object(forEach(CATEGORIES, () => coverage)),
  stages: v.array(Stage),
  micro_neurons: microNeuronsOut("What the verdict cost."),
  neurons: v.number(),
  policy: v.object({ name: v.string(), version: v.number() }),
  review: v.object({
    state: v.picklist(["none", "open", "claimed", "done"]),
    origin: v.nullable(v.picklist(["policy", "report", "appeal", "sample"])),
    priority: v.pipe(
      v.picklist(PRIORITIES),
      v.description("Urgent: self-harm, threats and children; claimed before all others."),
    ),
    key_id: v.nullable(v.string()),
    claim_expires_at: v.nullable(v.string()),
    note: v.nullable(v.string()),
    sampled: v.pipe(
      v.boolean(),
      v.description("It was approved, and drawn by lot: show it to a reviewer blurred at first."),
    ),
  }),
  batch_id: v.nullable(v.string()),
  test: v.pipe(
    v.boolean(),
    v.description("The text was a test input, which forced this outcome: nothing was looked at."),
  ),
  reused_from: v.pipe(
    v.nullable(v.string()),
    v.description(
      "The verdict of an equal content whose scores these are: no paid model was asked again. It may have gone since.",
    ),
  ),
  created_at: time("When it was stored."),
});

export const RevisionOutput = v.object({
  object: v.literal("revision"),
  verdict_id: v.string(),
  revision: v.number(),
  decision: v.picklist(DECISIONS),
  approved: v.boolean(),
  decided_by: v.picklist(["policy", "review"]),
  key_id: v.nullable(v.string()),
  note: v.nullable(v.string()),
  created_at: time("When this revision was made."),
});

export const toRevision = (revision: Revision) => ({
  object: "revision" as const,
  verdict_id: revision.verdictId,
  revision: revision.revision,
  decision: revision.decision,
  approved: revision.approved,
  decided_by: revision.decidedBy,
  key_id: revision.keyId,
  note: revision.note,
  created_at: isoTime(revision.createdAtMs),
});

const note = v.optional(
  v.nullable(
    v.pipe(
      v.string(),
      v.maxLength(1000),
      v.description("For people; it is kept with the verdict."),
    ),
  ),
  null,
);

export const ReviewInput = v.variant("state", [
  strictObject({
    state: v.literal("open"),
    origin: v.pipe(
      v.picklist(["report", "appeal"]),
      v.description("Somebody complained of the content, or of the decision."),
    ),
    note,
  }),
  strictObject({ state: v.literal("claimed") }),
  strictObject({
    state: v.literal("done"),
    decision: v.picklist(DECISIONS),
    revision: wholeNumber(1, Number.MAX_SAFE_INTEGER, "The revision that was looked at."),
    note,
  }),
]);

export const ClaimInput = strictObject({
  limit: v.optional(wholeNumber(1, 50, "How many at most."), 10),
});
