import type { Model } from "../catalogue/catalogue.ts";
import { generationCharge } from "../generation/generation-charge.ts";
import { least, type MicroNeurons, sum, ZERO } from "../ledger/micro-neurons.ts";
import type { GenerationKind, GenerationStage } from "../generation/plan-generation.ts";
import { priceOf } from "../catalogue/price.ts";
import type { PlannedCall } from "./stage.ts";

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
