import { type Model, priceOf, type Usage } from "../catalogue/catalogue.ts";
import { type CallEnd, type Charge, type PlannedCall, unitsWith } from "../moderation/stage.ts";
import { type Basis, capped } from "../ledger/ledger.ts";
import { least, type MicroNeurons, sum, ZERO } from "../ledger/micro-neurons.ts";
import type { GenerationKind, GenerationStage } from "./plan-generation.ts";
import type { Counted } from "./sound-usage.ts";
import { estimateInputTokens, tokensAtMost } from "./token-bound.ts";

// What one engine call of a generation costs, by how it ended.

const NOTHING: Charge = { microNeurons: ZERO, overrun: ZERO, units: {}, basis: "measured" };

/**
 * @param end `usage` null: the reply carried none. The estimate then uses `outputText`, or `counted`, the
 *   units that were counted
 * @param model the model that was called, whose price applies
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
  // Counted units may exceed the hold, and the excess is recorded; an estimate records no excess.
  if (estimated.basis === "counted") return priced(model, planned, estimated.units, "counted");
  return { ...priced(model, planned, estimated.units, estimated.basis), overrun: ZERO };
}

function priced(model: Model, { bound }: PlannedCall, units: Usage, basis: Basis): Charge {
  return { ...capped(priceOf(model, units), bound), units, basis };
}

/**
 * Units where the reply carries none; null: they are not known. We ask a language model for its usage, so
 * a reply without one has unknown units. Only a stand-in for a language model, which has no tokens, is
 * estimated.
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

/**
 * The lowest possible charge of an answered generation, whichever of its models answers. Where we count or
 * estimate the units, it is the charge itself. Where the engine reports them, it is one input token, since
 * only the model knows how few tokens a text has.
 */
export function leastCharge(
  stage: GenerationStage,
  kind: GenerationKind,
  modelOf: (id: string) => Model,
): MicroNeurons {
  const models = [stage.model, ...stage.fallbacks].map(modelOf);
  return sum(
    stage.calls.map((planned) =>
      models
        .map((model) => leastOf(planned, kind, model))
        .reduce((fewest, amount) => least(fewest, amount), planned.bound),
    ),
  );
}

const NO_USAGE = { kind: "answered", usage: null, simulated: false } as const;

function leastOf(planned: PlannedCall, kind: GenerationKind, model: Model): MicroNeurons {
  const charge = generationCharge(NO_USAGE, planned, { kind, model });
  if (charge.basis !== "held") return charge.microNeurons;
  return model.prices.input_token === undefined ? ZERO : priceOf(model, { input_token: 1 });
}
