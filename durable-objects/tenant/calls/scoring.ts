import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { scoreUnits } from "../../../src/domain/ledger/rate-limit.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import { type PlannedStage, rateUnits } from "../../../src/domain/moderation/stage.ts";
import { keepsSuggestions } from "../examples/suggestions.ts";
import type { Admitted, ScoringAdmit } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { findPolicy, limitStatus, modelFinder } from "./plan-call.ts";

// Calls that are scored inside the Worker: the rates are all that they take, without a judge.

/**
 * The judge of a comment in a language that is not scored here, by the default policy. None where the tenant
 * does not allow it, or no judge may run: the language is refused then.
 */
export function fallbackStages(tx: Tx, { judged }: ScoringAdmit): readonly PlannedStage[] {
  if (judged === undefined || tx.profile.settings.perspective_fallback !== "judge") return [];
  const policy = findPolicy(tx, null);
  if (policy === null) return [];
  const plan = planModeration(policy.policy, [judged], modelFinder(tx));
  return plan.kind === "planned" ? plan.stages.filter(({ name }) => name === "judge") : [];
}

/** Its reply is made before it is settled, so it has the limits at once. */
export const scoringAdmitted = (
  tx: Tx,
  { hold, byScoreKey }: { readonly hold: Hold; readonly byScoreKey: boolean },
): Admitted => ({
  kind: "admitted",
  hold,
  policy: null,
  limits: limitStatus(tx, scoreUnits(rateUnits(hold.stages), byScoreKey)),
  generation: tx.profile.generation,
  ...(keepsSuggestions(tx) && { keepsSuggestions: true }),
});
