import type { Model } from "../catalogue/catalogue.ts";
import { BASES, type Basis, capped } from "../ledger/ledger.ts";
import { type MicroNeurons, ZERO } from "../ledger/micro-neurons.ts";
import type { CheckStageName, PlannedCall } from "./stage.ts";
import { priceOf, type Usage } from "../catalogue/price.ts";
import { estimateInputTokens } from "../generation/token-bound.ts";

// The cost of one engine call, by how it ended.

/** How an engine call ended. */
export type CallEnd =
  /** Refused before it ran, never sent, or failed upstream without any use. */
  | { readonly kind: "not_run" }
  /** The engine answered; `usage` is null when its reply has no units. */
  | { readonly kind: "answered"; readonly usage: Usage | null; readonly simulated: boolean }
  /** A timeout, a lost connection, or an unusable answer: it may have used as much as its bound. */
  | { readonly kind: "unknown"; readonly usage: Usage | null };

/** Tokens of a judge's answer: a nonce of 32 hex digits and 14 scores with their names. */
export const ANSWER_TOKENS = 110;

export interface Charge {
  readonly microNeurons: MicroNeurons;
  readonly overrun: MicroNeurons;
  readonly units: Usage;
  readonly basis: Basis;
}

const NOTHING: Charge = { microNeurons: ZERO, overrun: ZERO, units: {}, basis: "measured" };

/** @param model the planned model, whose price applies */
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
      // No usage was reported, so no overrun is known.
      return { ...charge, overrun: ZERO };
    }
  }
  return { microNeurons: planned.bound, overrun: ZERO, units: planned.units, basis: "held" };
}

function priced(model: Model, { bound }: PlannedCall, units: Usage, basis: Basis): Charge {
  return { ...capped(priceOf(model, units), bound), units, basis };
}

/** We count pictures; the engine reports tokens. */
const basisOfReported = (stage: CheckStageName): Basis =>
  stage === "labels" ? "counted" : "measured";

/**
 * Units of a reply without usage: classifiers never report any, and an engine that simulates a language model
 * has no tokens to report. Never above the bound.
 */
function estimate(stage: CheckStageName, { units, ownTokens }: PlannedCall): Usage {
  const input = ownTokens + estimateInputTokens((units.input_token ?? 0) - ownTokens);
  if (stage === "sentiment") return { input_token: input };
  return { input_token: input, output_token: Math.min(units.output_token ?? 0, ANSWER_TOKENS) };
}

/** The least certain of several bases: the one that their sum has. */
export const leastSure = (bases: readonly Basis[]): Basis =>
  BASES.findLast((basis) => bases.includes(basis)) ?? "measured";
