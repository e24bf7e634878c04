import * as v from "valibot";

// How long a model is to think. The models here know three lengths and none at all; names that others
// have for more are taken as the most that there is, and the caller is told.

const ASKED = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
type Asked = (typeof ASKED)[number];
export type ReasoningEffort = Exclude<Asked, "xhigh" | "max">;

const HIGHEST: ReasoningEffort = "high";

export const reasoningEffort = v.nullish(
  v.pipe(
    v.picklist(ASKED),
    v.description("`xhigh` and `max` are taken as `high`: `x-neurogate-reasoning-effort` says so."),
  ),
);

export const effortTaken = (asked: Asked): ReasoningEffort =>
  asked === "xhigh" || asked === "max" ? HIGHEST : asked;

/** Told only where it is another than was asked for. */
export const effortHeaders = (asked: Asked | null | undefined): Record<string, string> => {
  if (asked === null || asked === undefined) return {};
  const taken = effortTaken(asked);
  return taken === asked ? {} : { "x-neurogate-reasoning-effort": taken };
};
