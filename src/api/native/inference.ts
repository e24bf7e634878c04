import * as v from "valibot";
import { BASES } from "../../domain/ledger/ledger.ts";
import { count, microNeuronsOut, time } from "../field.ts";

// A row of the log of inferences on the wire.

const said = (description: string) => v.pipe(v.string(), v.description(description));

export const InferenceOutput = v.object({
  id: said("The call's id, a point, and the place of the stage in the call."),
  object: v.literal("inference"),
  timestamp: time("When its call was admitted."),
  day: v.string(),
  call_id: said("The journal line of its call."),
  request_id: v.string(),
  verdict_id: v.nullable(said("Of a call that made exactly one verdict.")),
  session_id: v.nullable(said("Of a message: its chat session.")),
  document_id: v.nullable(said("The document that its call stores, or works on.")),
  run_id: v.nullable(said("The run of a pipeline, or the batch, that made its call.")),
  step: v.nullable(said("Of a run: which of its steps, such as `summarize`.")),
  operation: said("The route of its call."),
  stage: said("What the call asked for: `generate`, or a check of the moderation."),
  input: said("Which part of the request it was given; never its content."),
  task: v.string(),
  model: v.nullable(said("What ran; null: unknown, or nothing ran.")),
  engine: v.nullable(v.string()),
  priced_as: v.string(),
  engine_requests: count("Requests to the engine."),
  input_tokens: count("Tokens read, cached ones too."),
  output_tokens: count("Tokens written."),
  units: v.record(v.string(), v.number()),
  micro_neurons: microNeuronsOut("Charged for it, before adjustments."),
  basis: v.picklist(BASES),
  cost_usd: said("At Cloudflare's rate, an exact decimal."),
  latency_ms: v.nullable(
    v.pipe(
      v.number(),
      v.description("From the first request to the engine to its last answer; null: not kept."),
    ),
  ),
  call_ms: count("From admission to settlement of its whole call."),
  success: v.boolean(),
  outcome: v.pipe(v.picklist(["posted", "voided", "expired"]), v.description("Of its call.")),
  context: v.nullable(said("The caller's own label: `x-neurogate-context` of its request.")),
  key_id: v.nullable(v.string()),
  user_id: v.nullable(v.string()),
});
