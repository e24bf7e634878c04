import * as v from "valibot";
import { microNeuronsOut, time } from "../field.ts";

// A day's reconciliation on the wire; `src/domain/usage/drift-object.ts` makes it.

const day = v.pipe(v.string(), v.description("A UTC day."));
const usd = (description: string) =>
  v.pipe(v.string(), v.description(`${description} USD, an exact decimal.`));
const drift = v.nullable(
  v.pipe(
    v.number(),
    v.integer(),
    v.description("Cloudflare's count less ours, in micro-neurons; null: nothing is known of it."),
  ),
);

const causes = {
  estimated_micro_neurons: microNeuronsOut("Of what was charged, by an estimator."),
  held_micro_neurons: microNeuronsOut("Of what was charged, at the bound: the use is unknown."),
  overrun_micro_neurons: microNeuronsOut("Used beyond what was held, charged to nobody."),
  settled_after_midnight_micro_neurons: microNeuronsOut(
    "Of what was charged, by calls that ended on a later day.",
  ),
};

export const ReconciliationOutput = v.object({
  object: v.literal("reconciliation"),
  day,
  model: v.string(),
  micro_neurons: microNeuronsOut("Charged to tenants, `workers-ai` only."),
  upstream_micro_neurons: v.nullable(microNeuronsOut("As Cloudflare counted, when asked last.")),
  first_upstream_micro_neurons: v.nullable(
    microNeuronsOut("As Cloudflare counted, when asked first."),
  ),
  drift_micro_neurons: drift,
  unexplained_micro_neurons: drift,
  ...causes,
  settled_from_day_before_micro_neurons: microNeuronsOut(
    "Charged to the day before, by calls that ended on this one.",
  ),
  engine_requests: v.number(),
  upstream_requests: v.nullable(v.number()),
  input_tokens: v.number(),
  upstream_input_tokens: v.nullable(v.number()),
  output_tokens: v.number(),
  upstream_output_tokens: v.nullable(v.number()),
});

export const ReconciliationDayOutput = v.object({
  object: v.literal("reconciliation_day"),
  day,
  state: v.pipe(
    v.picklist(["compared", "no_data", "unknown"]),
    v.description("`no_data`: Cloudflare has no figures of it; `unknown`: it could not be asked."),
  ),
  runs: v.number(),
  first_run_at: time("The first look."),
  last_run_at: time("The latest look."),
  last_outcome: v.picklist(["compared", "no_data", "failed", "not_configured"]),
  last_reason: v.pipe(
    v.nullable(v.string()),
    v.description("Why the latest look could not compare."),
  ),
  compared_at: v.nullable(time("The look that the figures are of.")),
  micro_neurons: microNeuronsOut("Charged to tenants, all models."),
  upstream_micro_neurons: v.nullable(microNeuronsOut("As Cloudflare counted, all models.")),
  drift_micro_neurons: drift,
  ...causes,
  cost_basis: v.pipe(
    v.picklist(["upstream", "journal"]),
    v.description("Whose neurons the money is worked out of."),
  ),
  cost_usd: usd("At Cloudflare's rate, before the free allocation."),
  free_allocation_usd: usd("What is free every day: 10,000 neurons."),
  expected_bill_usd: usd("What Cloudflare will bill."),
  charged_to_tenants_usd: usd("What all tenants owe for the day."),
  carried_by_platform_usd: usd("Expected less charged; negative where tenants owe more."),
  models: v.array(ReconciliationOutput),
});
