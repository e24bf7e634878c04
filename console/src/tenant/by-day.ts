import type { UsageRow } from "../api/shapes.ts";
import { shortModel } from "../format.ts";
import type { Series } from "../ui/stacked.ts";

const DAY_MS = 86_400_000;
const MICRO = 1_000_000;

/** Every day from the first to the last, also days without usage. */
export function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let ms = Date.parse(from); ms <= Date.parse(to) && days.length < 400; ms += DAY_MS) {
    days.push(new Date(ms).toISOString().slice(0, 10));
  }
  return days;
}

const nameOf = ({ model, task }: UsageRow): string => model ?? task ?? "all";

interface Grouping {
  /** The places on the x axis, in order. */
  readonly places: readonly string[];
  readonly placeOf: (row: UsageRow) => string | null;
  readonly nameOf: (row: UsageRow) => string;
}

/** Neurons of each name at each place. Rows that belong to no place are left out. */
export function seriesBy(
  rows: readonly UsageRow[],
  { places, placeOf, nameOf: name }: Grouping,
): readonly Series[] {
  const at = new Map(places.map((place, index) => [place, index]));
  const series = new Map<string, number[]>();
  for (const row of rows) {
    const index = at.get(placeOf(row) ?? "");
    if (index === undefined) continue;
    const values = series.get(name(row)) ?? places.map(() => 0);
    values[index] = (values[index] ?? 0) + row.micro_neurons / MICRO;
    series.set(name(row), values);
  }
  return [...series].map(([key, values]) => ({ key, label: shortModel(key), values }));
}

/** Neurons of each model on each day. */
export const byDay = (rows: readonly UsageRow[], days: readonly string[]): readonly Series[] =>
  seriesBy(rows, { places: days, placeOf: ({ day }) => day, nameOf });

interface ModelSum {
  readonly model: string;
  readonly task: string;
  requests: number;
  failed: number;
  microNeurons: number;
  estimated: number;
  held: number;
  readonly units: Record<string, number>;
}

/** The rows of all days, added up by model. */
export function sumByModel(rows: readonly UsageRow[]): readonly Readonly<ModelSum>[] {
  const sums = new Map<string, ModelSum>();
  for (const row of rows) {
    const model = nameOf(row);
    const sum = sums.get(model) ?? {
      model,
      task: row.task ?? "",
      requests: 0,
      failed: 0,
      microNeurons: 0,
      estimated: 0,
      held: 0,
      units: {},
    };
    sums.set(model, sum);
    sum.requests += row.engine_requests ?? 0;
    sum.failed += row.failed ?? 0;
    sum.microNeurons += row.micro_neurons;
    sum.estimated += row.estimated_micro_neurons ?? 0;
    sum.held += row.held_micro_neurons ?? 0;
    for (const [unit, n] of Object.entries(row.units)) sum.units[unit] = (sum.units[unit] ?? 0) + n;
  }
  return [...sums.values()];
}
