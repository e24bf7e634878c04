import { dayFrom } from "../format.ts";
import { TextField } from "../ui/field.tsx";

export interface DayRange {
  readonly from: string;
  readonly to: string;
}

export const lastDays = (days: number): DayRange => ({
  from: dayFrom(Date.now(), 1 - days),
  to: dayFrom(Date.now(), 0),
});

const PRESETS = [1, 7, 30] as const;

interface RangeProps {
  readonly range: DayRange;
  readonly onRange: (range: DayRange) => void;
}

/** The days that are shown, and whether they are being loaded. */
export const RangeBar = ({ loading, ...rest }: RangeProps & { readonly loading: boolean }) => (
  <div class="row between">
    <RangePicker {...rest} />
    <span class="hint" role="status">
      {loading ? "Loading…" : ""}
    </span>
  </div>
);

/** The first and the last UTC day that are shown, both included. */
export function RangePicker({ range, onRange }: RangeProps) {
  const chosen = (days: number) => {
    const preset = lastDays(days);
    return preset.from === range.from && preset.to === range.to;
  };
  return (
    <div class="row range">
      <div class="segmented" role="group" aria-label="Days">
        {PRESETS.map((days) => (
          <button
            key={days}
            type="button"
            aria-pressed={chosen(days)}
            onClick={() => onRange(lastDays(days))}
          >
            {days === 1 ? "Today" : `${days} days`}
          </button>
        ))}
      </div>
      <TextField
        label="From"
        type="date"
        value={range.from}
        onValue={(from) => from !== "" && onRange({ ...range, from })}
      />
      <TextField
        label="To"
        type="date"
        value={range.to}
        onValue={(to) => to !== "" && onRange({ ...range, to })}
      />
    </div>
  );
}
