import type { Model } from "../catalogue/catalogue.ts";
import type { CallEnd, Charge } from "../moderation/charge.ts";
import { type Basis, capped } from "../ledger/ledger.ts";
import { ZERO } from "../ledger/micro-neurons.ts";
import type { GenerationKind } from "./plan-generation.ts";
import { priceOf, type Usage } from "../catalogue/price.ts";
import type { Counted } from "./sound-usage.ts";
import { type PlannedCall, unitsWith } from "../moderation/stage.ts";
import { estimateInputTokens, tokensAtMost } from "./token-bound.ts";

// What one engine call of a generation costs, by how it ended. The contract, section 6.

const NOTHING: Charge = { microNeurons: ZERO, overrun: ZERO, units: {}, basis: "measured" };

/**
 * @param end `usage` null: the reply carried none; `outputText` is then what an estimate goes by, or
 *   `counted` what was found by counting
 * @param model whose price is taken: the one that was asked
 */
export function generationCharge(
  end: CallEnd & { readonly outputText?: string | null; readonly counted?: Counted | null },
  planned: PlannedCall,
  { kind, model }: { readonly kind: GenerationKind; readonly model: Model },
): Charge {
  if (end.kind === "not_run") return NOTHING;
  if (end.usage !== null) return priced(model, planned, end.usage, "measured");
  const units = unitsWith(planned, model);
  const estimated = end.kind === "answered" ? estimate(kind, { ...planned, units }, end) : null;
  if (estimated === null) {
    return { microNeurons: planned.bound, overrun: ZERO, units, basis: "held" };
  }
  // What was counted may be more than was held; of what was estimated nothing is known.
  if (estimated.basis === "counted") return priced(model, planned, estimated.units, "counted");
  return { ...priced(model, planned, estimated.units, estimated.basis), overrun: ZERO };
}

function priced(model: Model, { bound }: PlannedCall, units: Usage, basis: Basis): Charge {
  return { ...capped(priceOf(model, units), bound), units, basis };
}

/**
 * Units where the reply carries none; null: they are not known. A language model is asked for its
 * usage, so that one which reports none is an unknown; only an engine that stands in for it, and has
 * no tokens, is estimated.
 */
function estimate(
  kind: GenerationKind,
  { units, ownTokens }: PlannedCall,
  end: {
    readonly simulated: boolean;
    readonly outputText?: string | null;
    readonly counted?: Counted | null;
  },
): { readonly units: Usage; readonly basis: Basis } | null {
  const input = ownTokens + estimateInputTokens((units.input_token ?? 0) - ownTokens);
  switch (kind) {
    case "chat": {
      if (!end.simulated || end.outputText === undefined) return null;
      const written = estimateInputTokens(tokensAtMost(end.outputText ?? ""));
      const output = Math.min(units.output_token ?? 0, written);
      return { units: { input_token: input, output_token: output }, basis: "estimated" };
    }
    case "embeddings":
    case "classification":
    case "reranking":
      return { units: { input_token: input }, basis: "estimated" };
    case "labels":
    case "objects":
    case "picture":
      return { units, basis: "counted" };
    case "caption":
      return null;
    case "transcription":
    case "speech":
      return end.counted ?? null;
    case "translation": {
      if (end.outputText === undefined || end.outputText === null) return null;
      const written = estimateInputTokens(tokensAtMost(end.outputText));
      const output = Math.min(units.output_token ?? 0, written);
      return { units: { input_token: input, output_token: output }, basis: "estimated" };
    }
  }
}
