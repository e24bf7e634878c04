import * as v from "valibot";
import type { GuardModes } from "../../domain/moderation/guard.ts";
import type { Verdict } from "../../domain/moderation/verdict.ts";
import type { GuardResults, SideResult } from "../../generation/chat-guard.ts";
import { stated } from "../../http/field-errors.ts";
import { RetryAfterMs } from "../native/verdict.ts";
import { FoundEntries, MODELS, ResultEntries, toResult } from "./moderation.ts";
import { object, orEmptyList } from "../object-input.ts";

// The `moderation` field of chat completions, as it is asked and as it is answered.
// https://platform.openai.com/docs/api-reference/chat/create

const Side = v.nullish(object({ mode: v.picklist(["score", "block"]) }));

const known = stated("must be a moderation model", (name: string) =>
  (MODELS as readonly string[]).includes(name),
);

export const ModerationField = v.nullish(
  object({
    model: v.pipe(
      v.string(),
      v.maxLength(128),
      v.check(known),
      v.description(`One of ${MODELS.join(", ")}; the tenant's policy says what judges.`),
    ),
    policy: v.nullish(orEmptyList(object({ input: Side, output: Side }))),
  }),
);

export type RequestedModeration = v.InferOutput<typeof ModerationField>;

/** Without a mode a side that was asked for is scored. */
export const requestedModes = (moderation: RequestedModeration): GuardModes =>
  moderation === null || moderation === undefined
    ? { input: "off", output: "off" }
    : {
        input: moderation.policy?.input?.mode ?? "score",
        output: moderation.policy?.output?.mode ?? "score",
      };

export const ModerationResult = v.object({
  type: v.literal("moderation_result"),
  model: v.string(),
  ...ResultEntries,
  neurogate: v.object(FoundEntries),
});

export const ErrorSide = v.object({
  type: v.literal("error"),
  code: v.pipe(
    v.picklist(["failed", "timed_out", "not_evaluated", "not_requested"]),
    v.description("Why there is no result. Under `block` what was not checked is withheld."),
  ),
  message: v.string(),
  retry_after_ms: v.exactOptional(RetryAfterMs),
});

const SideOutput = v.variant("type", [
  v.object({
    type: v.literal("moderation_results"),
    model: v.string(),
    results: v.pipe(
      v.array(ModerationResult),
      v.description("One for the prompt; one for each answer."),
    ),
  }),
  ErrorSide,
]);

export const ModerationObject = v.object({ input: SideOutput, output: SideOutput });

const DEFAULT_MODEL = "omni-moderation-latest";

const MESSAGES = {
  failed: "A check that the policy requires failed.",
  timed_out: "A check that the policy requires did not end in time.",
  not_evaluated: "A check that the policy requires could not be made of all of it.",
  not_requested: "Neither the request nor the policy asks for it.",
} as const;

/** @param model as the request named it; null: the policy alone asked */
export const toModeration = (
  { input, output }: GuardResults,
  model: string | null,
): v.InferOutput<typeof ModerationObject> => ({
  input: toSide(input, model ?? DEFAULT_MODEL),
  output: toSide(output, model ?? DEFAULT_MODEL),
});

function toSide(side: SideResult, model: string): v.InferOutput<typeof SideOutput> {
  if (side.kind === "judged") {
    const results = side.verdicts.map((verdict) => toChatResult(verdict, model));
    return { type: "moderation_results", model, results };
  }
  const code = side.kind === "unguarded" ? "not_requested" : side.status;
  const waitMs = side.kind === "unguarded" ? undefined : side.retryAfterMs;
  const wait = waitMs === undefined ? {} : { retry_after_ms: waitMs };
  return { type: "error", code, message: MESSAGES[code], ...wait };
}

/** A result as /v1/moderations gives it; it is not stored, and so has no id, nor is it ever forced. */
function toChatResult(verdict: Verdict, model: string) {
  const { neurogate, ...result } = toResult(verdict);
  const { verdict_id: _unstored, test: _never, reused_from: _ofStored, ...found } = neurogate;
  return {
    type: "moderation_result" as const,
    model,
    ...result,
    neurogate: { ...found, coverage: { ...found.coverage } },
  };
}
