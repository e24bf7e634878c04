import * as v from "valibot";
import { BASES } from "../../domain/ledger/ledger.ts";
import { microNeuronsOut, name, time } from "../field.ts";

// A journal line on the wire.

export const JournalLineOutput = v.object({
  id: name("`jnl_` and a ULID."),
  object: v.literal("journal_line"),
  day: v.string(),
  admitted_at: time("When the call was admitted."),
  settled_at: time("When its hold became this line."),
  outcome: v.picklist(["posted", "voided", "expired"]),
  route: v.pipe(v.string(), v.description("`adjustment` of one that gives back.")),
  request_id: v.string(),
  key_id: v.nullable(v.string()),
  user_id: v.nullable(v.string()),
  session_id: v.exactOptional(v.pipe(v.string(), v.description("Of a message: its chat session."))),
  document_id: v.exactOptional(
    v.pipe(v.string(), v.description("The document that it stores, or works on.")),
  ),
  run_id: v.exactOptional(
    v.pipe(v.string(), v.description("The run of a pipeline, or the batch, that made it.")),
  ),
  step: v.exactOptional(v.pipe(v.string(), v.description("Of a run: which of its steps."))),
  context: v.nullable(
    v.pipe(
      v.string(),
      v.description("The caller's own label: `x-neurogate-context` of its request."),
    ),
  ),
  verdict_id: v.nullable(v.string()),
  held_micro_neurons: microNeuronsOut("The bound, reserved before the call."),
  micro_neurons: microNeuronsOut("What was charged: quota + grants + overage."),
  quota_micro_neurons: microNeuronsOut("Drawn on the day's quota."),
  granted_micro_neurons: microNeuronsOut("Drawn on grants."),
  grants: v.pipe(
    v.array(v.object({ id: v.string(), micro_neurons: microNeuronsOut("Drawn on it.") })),
    v.description("Which grants, in the order in which they were drawn on."),
  ),
  overage_micro_neurons: microNeuronsOut("Drawn beyond both, at the line's rate."),
  overrun_micro_neurons: microNeuronsOut("Used beyond the hold: the platform's cost."),
  overage_usd_per_1000_neurons: v.nullable(v.string()),
  items: v.array(
    v.object({
      stage: v.string(),
      input: v.string(),
      model: v.nullable(v.string()),
      engine: v.nullable(v.string()),
      priced_as: v.string(),
      task: v.nullable(v.string()),
      units: v.record(v.string(), v.number()),
      micro_neurons: microNeuronsOut("Of this item."),
      basis: v.picklist(BASES),
      latency_ms: v.nullable(
        v.pipe(
          v.number(),
          v.description("From the first request to an engine to its last answer; null: not kept."),
        ),
      ),
    }),
  ),
  price_book: v.pipe(v.string(), v.description("The version of the prices that were taken.")),
  adjusts: v.nullable(
    v.pipe(v.string(), v.description("Of an adjustment: the line of which it gives back.")),
  ),
  reason: v.nullable(v.pipe(v.string(), v.description("Of an adjustment: why."))),
});
