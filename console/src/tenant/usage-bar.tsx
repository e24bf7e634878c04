import type { Limits } from "../api/shapes.ts";
import type { Segment } from "../ui/meter.tsx";

const MICRO = 1_000_000;

/** The whole of a day's bar in µN: the limit, or the plan's daily neurons if there is no limit. */
export const wholeOf = (limits: Limits, dailyNeurons: number | null): number | null =>
  limits.limit_micro_neurons ?? (dailyNeurons === null ? null : dailyNeurons * MICRO);

export function segmentsOf(limits: Limits): readonly Segment[] {
  const { micro_neurons: overage } = limits.overage;
  return [
    { key: "spent", label: "Posted", microNeurons: limits.posted_micro_neurons - overage },
    ...(limits.plan === "paid"
      ? [{ key: "overage", label: "Overage", microNeurons: overage }]
      : []),
    { key: "held", label: "Held", microNeurons: limits.pending_micro_neurons },
  ];
}
