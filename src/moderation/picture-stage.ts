import { PICTURE_MODEL } from "../domain/moderation/picture-scores.ts";
import type { CheckStage, InputName } from "../domain/moderation/plan-moderation.ts";
import { asks, type Policy } from "../domain/moderation/policy.ts";
import type { CheckFailure, CheckStatus, StageResult } from "../domain/moderation/verdict.ts";
import type { JudgedPicture } from "../engines/embedded/picture-model/picture-model.ts";
import type { Picture } from "../engines/picture.ts";
import type { RunContext } from "./run-context.ts";

// The picture model inside the Worker, as a stage of its own. It is a rule with a version and no call
// of an engine: it costs nothing, needs no plan and takes no rate.

export type JudgePicture = (picture: Picture) => Promise<JudgedPicture>;

export interface PictureStage {
  readonly result: StageResult;
  /** It was not decoded, for the reasons. */
  readonly tooManyPixels: boolean;
}

/**
 * Two at a time of a call's pictures (its gate has six places): the first ones of an isolate each
 * bring the model's file, and all wait for one decoder.
 */
const WEIGHT = 3;

/** The pictures that a policy wants judged, and that no vision model is asked about. */
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

/** A stage that looked at nothing, since the item was blocked already. */
export const skippedPicture = (input: InputName): PictureStage => ({
  result: resultOf(input, 0, ["not_required"]),
  tooManyPixels: false,
});

/** @param picture null: it could not be had */
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

/** Without the model nothing can be said of any picture: that is a failure, and no gap. */
const ENDS: Readonly<Record<JudgedPicture["kind"], End>> = {
  judged: ["evaluated"],
  too_many_pixels: ["not_evaluated", "too_many_pixels"],
  undecodable: ["failed", "picture_unreadable"],
  unavailable: ["failed", "picture_unreadable"],
};

/** What became of it, and why it is no judgement. */
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
