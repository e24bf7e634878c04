import { exactNeurons, neurons, percent } from "../format.ts";

export interface Segment {
  readonly key: string;
  readonly label: string;
  readonly microNeurons: number;
}

interface MeterProps {
  readonly label: string;
  readonly segments: readonly Segment[];
  /** The amount that the whole bar stands for; null: no limit, so the segments fill the bar. */
  readonly limit: number | null;
  /** Whether the limit refuses calls; if so, a full bar is a warning. */
  readonly hard?: boolean;
  readonly legend?: boolean;
  /** The legend of the part that is not filled. */
  readonly rest?: Segment;
}

/** A bar of the use of a limit. It is an SVG, since its widths are data and not style. */
export function Meter({ label, segments, limit, hard = true, ...more }: MeterProps) {
  const { legend = false, rest } = more;
  const used = segments.reduce((sum, { microNeurons }) => sum + microNeurons, 0);
  const whole = Math.max(limit ?? used, used, 1);
  let at = 0;
  const parts = segments.map((segment) => {
    const width = (segment.microNeurons / whole) * 100;
    const part = { ...segment, x: at, width };
    at += width;
    return part;
  });
  const full = hard && limit !== null && used >= limit;
  const text =
    limit === null
      ? `${label}: ${neurons(used)} neurons, no limit`
      : `${label}: ${neurons(used)} of ${neurons(limit)} neurons, ${percent(used, limit)}`;
  return (
    <div class={full ? "meter full" : "meter"}>
      <svg
        class="meter-bar"
        viewBox="0 0 100 8"
        preserveAspectRatio="none"
        role="img"
        aria-label={text}
      >
        <rect class="meter-rest" width="100" height="8" />
        {parts.map((part) => (
          <rect key={part.key} class={`seg-${part.key}`} x={part.x} width={part.width} height="8" />
        ))}
      </svg>
      {legend && (
        <ul class="legend">
          {[...segments, ...(rest === undefined ? [] : [rest])].map((segment) => (
            <li key={segment.key} title={exactNeurons(segment.microNeurons)}>
              <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                <rect class={`seg-${segment.key}`} width="10" height="10" rx="2" />
              </svg>
              {segment.label} <b>{neurons(segment.microNeurons)}</b>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
