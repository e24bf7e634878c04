import { isDecidedAlone } from "./cascade.ts";
import { MICRO_PER_NEURON } from "../ledger/micro-neurons.ts";
import { isoTime } from "../ledger/period.ts";
import { isPartial, scoresOf, unexplained, type Verdict } from "./verdict.ts";

/**
 * A verdict in replies and webhooks, without the spans in the text that caused it: they would teach its
 * writer how to avoid a match. The contract, section 8 and example 1.
 */
export const toVerdict = (verdict: Verdict) => ({
  id: verdict.id,
  object: "verdict" as const,
  content_id: verdict.contentId,
  user_id: verdict.userId,
  metadata: verdict.metadata,
  language: verdict.language,
  decision: verdict.decision,
  approved: verdict.approved,
  partial: isPartial(verdict),
  decided_by: verdict.decidedBy,
  decided_by_tier0: isDecidedAlone(verdict.stages),
  revision: verdict.revision,
  actions: verdict.actions,
  reasons: unexplained(verdict.reasons),
  scores: scoresOf(verdict.stages),
  coverage: verdict.coverage,
  stages: verdict.stages.map((stage) => ({
    name: stage.name,
    input: stage.input,
    model: stage.model,
    engine: stage.engine,
    status: stage.status,
    scores: stage.scores,
    latency_ms: stage.latency_ms,
    micro_neurons: stage.micro_neurons,
    basis: stage.basis,
    priced_as: stage.priced_as,
    measurements: stage.measurements,
    failure: stage.failure ?? null,
    instructions: stage.instructions ?? null,
  })),
  micro_neurons: verdict.microNeurons,
  neurons: verdict.microNeurons / MICRO_PER_NEURON,
  policy: verdict.policy,
  review: verdict.review,
  batch_id: verdict.batchId,
  test: verdict.test,
  reused_from: verdict.reuse?.from?.verdictId ?? null,
  created_at: isoTime(verdict.createdAtMs),
});

/** A verdict for reviewers, with the spans. */
export const toExplained = (verdict: Verdict) => ({
  ...toVerdict(verdict),
  reasons: verdict.reasons,
});
