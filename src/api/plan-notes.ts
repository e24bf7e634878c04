import * as v from "valibot";
import type { GenerationStage } from "../domain/generation/plan-generation.ts";
import {
  ANSWER_LENGTHS,
  COMPLEXITIES,
  ROUTING_TASKS,
} from "../domain/generation/prompt-features.ts";

// The decisions that the gateway made about a request, in its reply. Absent if there were none.

export const planNotes = {
  routing: v.exactOptional(
    v.pipe(
      v.object({
        model: v.pipe(v.string(), v.description("What `auto` became.")),
        task: v.picklist(ROUTING_TASKS),
        complexity: v.picklist(COMPLEXITIES),
        length: v.picklist(ANSWER_LENGTHS),
        rule: v.pipe(v.number(), v.description("Its place in the policy's table, from 0.")),
        policy: v.object({ name: v.string(), version: v.number() }),
      }),
      v.description("Of a call that named `auto`: the model that was picked, and why."),
    ),
  ),
  compaction: v.exactOptional(
    v.pipe(
      v.object({
        saved_tokens_at_most: v.pipe(
          v.number(),
          v.description("By how much less the prompt was bounded and held."),
        ),
      }),
      v.description("Of a call whose prompt was sent with fewer blanks."),
    ),
  ),
};

const PlanNotes = v.object(planNotes);

export type PlanNotes = v.InferOutput<typeof PlanNotes>;

export const toPlanNotes = ({
  routed,
  compactedTokens,
}: Pick<GenerationStage, "routed" | "compactedTokens">): PlanNotes => ({
  ...(routed !== undefined && {
    routing: {
      model: routed.model,
      task: routed.task,
      complexity: routed.complexity,
      length: routed.length,
      rule: routed.rule,
      policy: { ...routed.policy },
    },
  }),
  ...(compactedTokens !== undefined && {
    compaction: { saved_tokens_at_most: compactedTokens },
  }),
});
