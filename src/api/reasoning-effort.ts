import * as v from "valibot";

// How long a model is to think. The models here know three lengths, and none. Other providers have names for
// more: these count as the longest, and a header says so.

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
type Effort = (typeof EFFORTS)[number];
export type ReasoningEffort = Exclude<Effort, "xhigh" | "max">;

const HIGHEST: ReasoningEffort = "high";

export const reasoningEffort = v.nullish(
  v.pipe(
    v.picklist(EFFORTS),
    v.description("`xhigh` and `max` are taken as `high`: `x-neurogate-reasoning-effort` says so."),
  ),
);

export const effortTaken = (effort: Effort): ReasoningEffort =>
  effort === "xhigh" || effort === "max" ? HIGHEST : effort;

/** Empty if the request's effort is used as it is. */
export const effortHeaders = (effort: Effort | null | undefined): Record<string, string> => {
  if (effort === null || effort === undefined) return {};
  const taken = effortTaken(effort);
  return taken === effort ? {} : { "x-neurogate-reasoning-effort": taken };
};
