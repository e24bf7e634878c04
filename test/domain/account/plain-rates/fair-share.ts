// Max-min fairness: nobody gets more at the price of one who has less. Whoever wants little gets it,
// and what they leave is shared by the rest in equal parts. Everything here is whole numbers.

/** One of those who take units of a class in a rolling minute. */
export interface Taker {
  /** Units that it took in this minute. */
  readonly took: number;
  /** It was refused in this minute, and would take more. */
  readonly isHungry: boolean;
}

/**
 * How many units one taker may have in a minute of `limit`, while others want theirs. Of what does not
 * divide, as many takers get one more as there are units.
 */
export function fairUnits(limit: number, others: readonly Taker[]): number {
  const fits = (level: number): number =>
    others.reduce(
      (total, other) => total + (other.isHungry ? level : Math.min(other.took, level)),
      level,
    );
  let low = 0;
  let high = limit + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle) <= limit) low = middle;
    else high = middle;
  }
  const extra = limit - fits(low);
  const withExtra = others.filter((other) => other.took > low).length;
  return withExtra < extra ? low + 1 : low;
}
