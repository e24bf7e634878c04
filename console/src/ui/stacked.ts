// The sums behind a stacked chart.

export interface Series {
  readonly key: string;
  readonly label: string;
  readonly values: readonly number[];
}

/** The layers to draw over one another: the sum of all series first, then of one less, and so on. */
export function stacked(series: readonly Series[]): readonly (readonly number[])[] {
  const sums: number[][] = [];
  for (const { values } of series) {
    const below = sums.at(-1);
    sums.push(values.map((value, at) => value + (below?.[at] ?? 0)));
  }
  return sums.toReversed();
}

/** The `most - 1` largest series, largest first, and the sum of the others. */
export function largest(series: readonly Series[], most: number): readonly Series[] {
  const total = ({ values }: Series) => values.reduce((sum, value) => sum + value, 0);
  const sorted = series.toSorted((a, b) => total(b) - total(a));
  if (sorted.length <= most) return sorted;
  const rest = sorted.slice(most - 1);
  const values = (rest[0]?.values ?? []).map((_, at) =>
    rest.reduce((sum, one) => sum + (one.values[at] ?? 0), 0),
  );
  return [...sorted.slice(0, most - 1), { key: "other", label: `${rest.length} others`, values }];
}
