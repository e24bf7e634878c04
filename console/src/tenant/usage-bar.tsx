import type { Limits } from "../api/shapes.ts";
import { neurons, percent } from "../format.ts";
import { Meter, type Segment } from "../ui/meter.tsx";

const MICRO = 1_000_000;

/** What a bar of the day stands for: where nothing stops a tenant, what its plan includes. */
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

interface UsageBarProps {
  readonly standing: Limits | Error | undefined;
  readonly dailyNeurons: number;
}

/** What of the day's limit is used, in a cell. */
export function UsageBar({ standing, dailyNeurons }: UsageBarProps) {
  if (standing === undefined) return <div class="usage-cell soft">…</div>;
  if (standing instanceof Error) {
    return (
      <div class="usage-cell soft" title={standing.message}>
        not answered
      </div>
    );
  }
  const whole = wholeOf(standing, dailyNeurons);
  const { posted_micro_neurons: posted } = standing;
  return (
    <div class="usage-cell">
      <Meter
        label={`Today of ${standing.tenant}`}
        limit={whole}
        hard={standing.limit_micro_neurons !== null}
        segments={segmentsOf(standing)}
      />
      <p class="hint">
        {neurons(posted)} N{whole !== null && ` · ${percent(posted, whole)}`}
      </p>
    </div>
  );
}
