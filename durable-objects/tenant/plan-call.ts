import { neuronStanding } from "../../src/domain/admission.ts";
import { resolveModel } from "../../src/domain/catalogue.ts";
import { ZERO } from "../../src/domain/micro-neurons.ts";
import { planGeneration } from "../../src/domain/plan-generation.ts";
import { DEFAULT_POLICY_NAME, type PolicyVersion } from "../../src/domain/policy.ts";
import { modelsFor } from "../../src/domain/settings.ts";
import type { FindModel } from "../../src/domain/stage.ts";
import type { Parts } from "./parts.ts";
import type { Platform } from "./platform.ts";
import type { Profile } from "./profile-store.ts";
import type { GenerationAdmit } from "./protocol.ts";

// What a call would ask of engines, by the tenant's settings: an admission reserves it, a quote
// only tells of it.

export type AskedGeneration = Pick<GenerationAdmit, "kind" | "model" | "measured" | "fit">;

export const generationPlan = (
  parts: Parts,
  profile: Profile,
  { model, measured, fit }: AskedGeneration,
): ReturnType<typeof planGeneration> =>
  planGeneration(measured, modelsFor(profile.settings, model), {
    find: modelFinder(profile, parts.platform),
    defaultMaxTokens: profile.settings.default_max_tokens,
    fitTo: fit ? neuronStanding(parts.ledger.standing(profile), ZERO).available : null,
  });

export const findPolicy = (parts: Parts, name: string | null): PolicyVersion | null =>
  parts.policies.read(name ?? DEFAULT_POLICY_NAME, null);

export const NO_SUCH_POLICY = {
  kind: "invalid_request",
  errors: [{ path: ["policy"], detail: "must name a policy of this tenant" }],
} as const;

/** The models that may run: those of the catalogue with a price that the tenant allows. */
export const modelFinder =
  ({ settings }: Profile, { workersPlan, prices }: Platform): FindModel =>
  (id) =>
    settings.models !== null && !settings.models.includes(id)
      ? { kind: "model_not_allowed", model: id }
      : resolveModel(id, { workersPlan, prices });
