import type { Model } from "../catalogue/catalogue.ts";
import { BASES, type Basis, capped } from "../ledger/ledger.ts";
import { type MicroNeurons, ZERO } from "../ledger/micro-neurons.ts";
import type { CheckStageName, PlannedCall } from "./stage.ts";
import { priceOf, type Usage } from "../catalogue/price.ts";
import { estimateInputTokens } from "../generation/token-bound.ts";

// What one engine call costs, by how it ended. The contract, section 6.

/** What is known of an engine call. */
export type CallEnd =
  /** Refused before it ran, never asked, or broken upstream without any use. */
  | { readonly kind: "not_run" }
  /** It answered; `usage` null: its reply carries no units. */
  | { readonly kind: "answered"; readonly usage: Usage | null; readonly simulated: boolean }
  /** A timeout, a lost connection, an answer of no use: it may have run to its bound. */
  | { readonly kind: "unknown"; readonly usage: Usage | null };

/** A judge's answer: a nonce of 32 hex digits and 14 scores with their names. */
export const ANSWER_TOKENS = 110;

export interface Charge {
  readonly microNeurons: MicroNeurons;
  readonly overrun: MicroNeurons;
  readonly units: Usage;
  readonly basis: Basis;
}

const NOTHING: Charge = { microNeurons: ZERO, overrun: ZERO, units: {}, basis: "measured" };

/** @param model whose price is taken: the one that was asked */
export function chargeOf(
  end: CallEnd,
  planned: PlannedCall,
  { stage, model }: { readonly stage: CheckStageName; readonly model: Model },
): Charge {
  if (end.kind === "not_run") return NOTHING;
  if (end.usage !== null) return priced(model, planned, end.usage, basisOfReported(stage));
  if (end.kind === "answered") {
    if (stage === "labels") return priced(model, planned, planned.units, "counted");
    if (end.simulated || stage === "sentiment") {
      const charge = priced(model, planned, estimate(stage, planned), "estimated");
      // Nothing was reported, so nothing is known of an overrun.
      return { ...charge, overrun: ZERO };
    }
  }
  return { microNeurons: planned.bound, overrun: ZERO, units: planned.units, basis: "held" };
}

function priced(model: Model, { bound }: PlannedCall, units: Usage, basis: Basis): Charge {
  return { ...capped(priceOf(model, units), bound), units, basis };
}

/** Pictures are ours to count; tokens are the engine's to report. */
const basisOfReported = (stage: CheckStageName): Basis =>
  stage === "labels" ? "counted" : "measured";

/**
 * Units where a reply carries none: classification never does, and an engine that stands in for a
 * language model has no tokens to report. Never above the bound.
 */
function estimate(stage: CheckStageName, { units, ownTokens }: PlannedCall): Usage {
  const input = ownTokens + estimateInputTokens((units.input_token ?? 0) - ownTokens);
  if (stage === "sentiment") return { input_token: input };
  return { input_token: input, output_token: Math.min(units.output_token ?? 0, ANSWER_TOKENS) };
}

/** The least sure of several bases: what a sum can claim. */
export const leastSure = (bases: readonly Basis[]): Basis =>
  BASES.findLast((basis) => bases.includes(basis)) ?? "measured";
