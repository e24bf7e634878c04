import type { StepOutcome } from "../../domain/pipelines/run-step.ts";
import { moderationDeps } from "../../edge/moderation-deps.ts";
import { TEST_INPUTS } from "../../domain/moderation/test-input.ts";
import { moderationCall } from "../../moderation/moderation-call.ts";
import type { StepInput } from "../read-input.ts";
import { failureOf, type StepContext, whoOf } from "../step-context.ts";

// A verdict of the document by the run's policy. What the policy blocks goes no further: no model reads it,
// and it is not stored.

export async function moderate(context: StepContext, input: StepInput): Promise<StepOutcome> {
  const { env, config, tenantId, run, document, ids } = context;
  const { text, userId, language } = input;
  const deps = moderationDeps({ env, config, caller: { tenant: tenantId } });
  const outcome = await moderationCall(deps, {
    ...whoOf(context, userId),
    // The call's own ids bring back its verdict.
    idempotency: null,
    tenantId,
    policyName: run.policy,
    isPatient: true,
    contents: [
      {
        verdictId: ids.verdictId,
        contentId: document.documentId,
        userId,
        metadata: {},
        language,
        text,
        pictures: [],
        test: TEST_INPUTS.get(text) ?? null,
        batchId: null,
      },
    ],
  });
  if (outcome.kind !== "moderated") return failureOf(context, outcome);
  const {
    verdicts: [verdict],
    microNeurons,
  } = outcome;
  if (verdict === undefined) throw new Error("a verdict is missing");
  const { decision } = verdict;
  return decision === "block"
    ? { kind: "failed", as: "blocked", microNeurons, again: false, decision }
    : { kind: "succeeded", microNeurons, decision };
}
