import type { StepOutcome } from "../../domain/pipelines/run-step.ts";
import { engineOf, recordInferences, tenantObject } from "../../edge/bindings.ts";
import { vectorRegister } from "../../edge/search-deps.ts";
import { textJudge } from "../../engines/embedded/text-model.ts";
import { newId } from "../../http/ids.ts";
import { indexDocument } from "../../search/index-document.ts";
import type { SearchDeps } from "../../search/search-deps.ts";
import { vectorStoresOf } from "../../vectors/vector-stores.ts";
import type { StepInput } from "../read-input.ts";
import { failed, failureOf, type StepContext, whoOf } from "../step-context.ts";

// Makes the stored document searchable. One that is searchable already costs nothing.

export async function embed(
  context: StepContext,
  { stored, text, type, userId }: StepInput,
): Promise<StepOutcome> {
  if (stored?.state !== "ready") return failed("not_found");
  const outcome = await indexDocument(
    searchDeps(context),
    { documentId: stored.id, revision: stored.file, type, userId, text },
    // A repeat finds the vectors.
    { ...whoOf(context, userId), idempotency: null },
  );
  if (outcome.kind === "not_stored") return failureOf(context, outcome.failure);
  if (outcome.kind !== "indexed") return failureOf(context, outcome);
  // A repeat finds the vectors that its first run wrote and was charged for.
  const microNeurons =
    outcome.callId === null ? ((await context.chargeOf()) ?? 0) : outcome.microNeurons;
  return { kind: "succeeded", microNeurons };
}

function searchDeps({ env, config, tenantId, run }: StepContext): SearchDeps {
  const { secretHash } = run;
  const caller = { kind: "key", tenant: tenantId, secretHash, roles: ["call"] } as const;
  return {
    generation: {
      config,
      engine: engineOf(config, env),
      tenant: () => tenantObject(env, tenantId),
      judgeText: textJudge(env.ASSETS),
      observe: recordInferences(env, tenantId),
    },
    register: vectorRegister({ env, caller }),
    vectors: vectorStoresOf(env),
    newKey: () => newId("vec"),
  };
}
