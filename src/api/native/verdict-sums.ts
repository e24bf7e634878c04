import * as v from "valibot";
import type { CallSums } from "../../domain/usage/usage-report.ts";
import { disagreedCategory, type VerdictCount } from "../../domain/ledger/day-totals.ts";
import { count, microNeuronsOut } from "../field.ts";

// The cost of verdicts, and the savings, on the wire. A stage that did not run has no invented figure: it
// is listed with its planned bound.

/** What `spared_at_most_micro_neurons` goes by. */
const SPARED_BASIS = "plan_bound";

export const VerdictSumsOutput = v.object({
  made: count("Verdicts that were stored, test inputs left out."),
  micro_neurons: microNeuronsOut("What their calls were charged, before adjustments."),
  micro_neurons_each: v.nullable(
    v.pipe(
      v.number(),
      v.description("Of it for each verdict, reused ones too, rounded; null: there was none."),
    ),
  ),
  reused: count("Those answered with the scores of an earlier one, at no cost."),
  saved_micro_neurons: microNeuronsOut("What the verdicts cost that answered those."),
  spared_stages: count("Paid checks that were planned and not run: a free one had decided."),
  spared_at_most_micro_neurons: microNeuronsOut(
    "The bounds of those checks; their actual use would have been at most that.",
  ),
  spared_basis: v.literal(SPARED_BASIS),
  free_checks: count(
    "Texts and pictures that a model inside the Worker judged, where the policy names no paid one.",
  ),
  compared: count("Texts that `tier0` decided and that the judge read too, as a sample."),
  disagreed: v.pipe(
    v.record(v.string(), v.number()),
    v.description(
      "Of these, by category, the texts that passed and that the judge finds harmful, or that were blocked and that it finds harmless.",
    ),
  ),
});

export function toVerdictSums({ verdicts }: CallSums): v.InferOutput<typeof VerdictSumsOutput> {
  const sum = (name: VerdictCount): number => Number(verdicts[name] ?? 0n);
  const made = sum("made");
  return {
    made,
    micro_neurons: sum("micro_neurons"),
    micro_neurons_each: made === 0 ? null : Math.round(sum("micro_neurons") / made),
    reused: sum("reused"),
    saved_micro_neurons: sum("saved"),
    spared_stages: sum("spared"),
    spared_at_most_micro_neurons: sum("spared_at_most"),
    spared_basis: SPARED_BASIS,
    free_checks: sum("free"),
    compared: sum("compared"),
    disagreed: Object.fromEntries(
      Object.entries(verdicts).flatMap(([name, texts]) => {
        const category = disagreedCategory(name);
        return category === null ? [] : [[category, Number(texts)]];
      }),
    ),
  };
}
