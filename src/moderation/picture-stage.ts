import { PICTURE_MODEL } from "../domain/moderation/picture-scores.ts";
import type { CheckStage, InputName } from "../domain/moderation/plan-moderation.ts";
import { asks, type Policy } from "../domain/moderation/policy.ts";
import type { CheckFailure, CheckStatus, StageResult } from "../domain/moderation/verdict.ts";
import type { JudgedPicture } from "../engines/embedded/picture-model/picture-model.ts";
import type { Picture } from "../engines/picture.ts";
import type { RunContext } from "./run-context.ts";

// The picture model inside the Worker, as a stage of its own. It is a versioned rule and no engine call: it
// costs nothing, needs no plan and uses no rate.

export type JudgePicture = (picture: Picture) => Promise<JudgedPicture>;

export interface PictureStage {
  readonly result: StageResult;
  /** The picture was too large to decode; the reasons say so. */
  readonly tooManyPixels: boolean;
}

/**
 * At most two pictures of a call at a time (its gate has six places): in a new isolate each of them loads the
 * model's file, and all wait for one decoder.
 */
const WEIGHT = 3;

/** The pictures that the policy wants judged and no vision model is asked about. */
export const unseenPictures = (
  policy: Policy,
  inputs: readonly InputName[],
  stages: readonly CheckStage[],
): InputName[] =>
  asks(policy, "image", ["nsfw"])
    ? inputs.filter(
        (input) =>
          input !== "text" && !stages.some((one) => one.name === "vision" && one.input === input),
      )
    : [];

/** A stage that was skipped because the item was already blocked. */
export const skippedPicture = (input: InputName): PictureStage => ({
  result: resultOf(input, 0, ["not_required"]),
  tooManyPixels: false,
});

/** @param picture null: it is not available */
export async function pictureStage(
  { gate, nowMs, deadlineMs }: RunContext,
  judge: JudgePicture,
  { input, picture }: { readonly input: InputName; readonly picture: Picture | null },
): Promise<PictureStage> {
  if (picture === null) {
    return { result: resultOf(input, 0, ["failed", "picture_unavailable"]), tooManyPixels: false };
  }
  return gate.run(WEIGHT, async () => {
    const started = nowMs();
    if (started >= deadlineMs) {
      return { result: resultOf(input, 0, ["timed_out", "timed_out"]), tooManyPixels: false };
    }
    const judged = await judge(picture);
    const result = resultOf(input, nowMs() - started, ENDS[judged.kind]);
    return {
      result:
        judged.kind === "judged"
          ? { ...result, model: PICTURE_MODEL, scores: { nsfw: judged.scores.nsfw } }
          : result,
      tooManyPixels: judged.kind === "too_many_pixels",
    };
  });
}

/** Without the model no picture can be judged: that is a failure, not a gap. */
const ENDS: Readonly<Record<JudgedPicture["kind"], End>> = {
  judged: ["evaluated"],
  too_many_pixels: ["not_evaluated", "too_many_pixels"],
  undecodable: ["failed", "picture_unreadable"],
  unavailable: ["failed", "picture_unreadable"],
};

/** The status, and the reason if there is no judgement. */
type End = readonly [status: CheckStatus, failure?: CheckFailure["kind"]];

const resultOf = (input: InputName, latencyMs: number, [status, kind]: End): StageResult => ({
  name: "picture",
  input,
  model: null,
  priced_as: null,
  engine: "embedded",
  status,
  scores: {},
  latency_ms: latencyMs,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...(kind !== undefined && { failure: { kind } }),
});
