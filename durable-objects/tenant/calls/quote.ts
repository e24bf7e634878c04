import {
  neuronBalance,
  refusalOf,
  type AdmissionState,
} from "../../../src/domain/ledger/admission.ts";
import { admittedModels } from "../../../src/domain/catalogue/catalogue.ts";
import { leastCharge } from "../../../src/domain/generation/generation-charge.ts";
import { type MicroNeurons, sum, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import { asRefusal } from "../../../src/domain/account/pool-refusal.ts";
import {
  type GenerationFailure,
  isGeneration,
} from "../../../src/domain/generation/plan-generation.ts";
import { moderationItems, planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import { ONE_ITEM, type PlannedStage, rateUnits } from "../../../src/domain/moderation/stage.ts";
import type { Tx } from "../transactions.ts";
import { findPolicy, generationPlan, modelFinder, NO_SUCH_POLICY } from "./plan-call.ts";
import type { Quoted, QuotedCall } from "../protocol.ts";

// What a call would cost: planned as an admission plans it, and nothing reserved or counted.

export function quote(tx: Tx, call: QuotedCall): Quoted | GenerationFailure {
  const plan = call.kind === "generation" ? generationPlan(tx, call) : moderationPlan(tx, call);
  if (plan.kind !== "planned") return plan;
  const { stages } = plan;
  const bound = sum(stages.map((stage) => stage.bound));
  const now = tx.stores.ledger.standing(tx.profile);
  const items = call.kind === "moderation" ? moderationItems(call.contents) : ONE_ITEM;
  return {
    kind: "quoted",
    stages,
    least: leastOf(tx, call, stages),
    neurons: neuronBalance(now, bound),
    refusal:
      refusalOf(withOutlook(tx, now), {
        bound,
        units: rateUnits(stages, items),
        stages: stages.length,
      })?.kind ?? null,
  };
}

/** With the account's outlook, as if it had just answered for this call. */
function withOutlook(tx: Tx, now: AdmissionState): AdmissionState {
  const { account, nowMs } = now;
  const outlook = tx.stores.budget.pool.outlook(dayOf(nowMs), nowMs);
  if (account === undefined || account.neurons === null || outlook === null) return now;
  const refused = asRefusal(outlook, nowMs);
  return { ...now, account: { ...account, neurons: { ...account.neurons, refused } } };
}

function moderationPlan(
  tx: Tx,
  { policyName, contents }: Extract<QuotedCall, { kind: "moderation" }>,
) {
  const found = findPolicy(tx, policyName);
  if (found === null) return NO_SUCH_POLICY;
  return planModeration(found.policy, contents, modelFinder(tx));
}

/**
 * Nothing where a check may be skipped (a term has blocked the item, or its language is none of the
 * engine's), or where an earlier answer may be given again.
 */
function leastOf(tx: Tx, call: QuotedCall, stages: readonly PlannedStage[]): MicroNeurons {
  if (call.kind === "moderation" || tx.profile.settings.cache_ttl_s > 0) return ZERO;
  const modelOf = admittedModels(tx.stores.platform.prices);
  const made = stages.filter(isGeneration);
  return sum(made.map((stage) => leastCharge(stage, call.measured.kind, modelOf)));
}
