// Max-min fairness: nobody gets more at the price of one who has less. Whoever wants little gets it,
// and what they leave is shared by the rest in equal parts. Everything here is whole numbers.

/** One of those who want something of the same thing. */
export interface Claimant {
  /** What it has. */
  readonly has: number;
  /** How much more it would take; `Infinity`: whatever it can get. */
  readonly wants: number;
}

/**
 * The level up to which `amount` more lifts the claimants, each at most to what it wants; `Infinity`
 * when all that they want is there.
 */
export function levelOf(amount: number, claimants: readonly Claimant[]): number {
  const taken = (level: number): number =>
    claimants.reduce((total, claimant) => total + lifted(claimant, level), 0);
  if (taken(Infinity) <= amount) return Infinity;
  let low = 0;
  let high = Math.max(0, ...claimants.map(({ has }) => has)) + amount + 1;
  // The level is the highest whole number whose sum still fits.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (taken(middle) <= amount) low = middle;
    else high = middle;
  }
  return low;
}

/** What a claimant takes when everybody is lifted to `level`. */
export const lifted = ({ has, wants }: Claimant, level: number): number =>
  Math.max(0, Math.min(level, has + wants) - has);

/** What is left of `amount` for one claimant once all others took what is theirs. */
export function fairPart(
  amount: number,
  claimant: Claimant,
  others: readonly Claimant[],
): { readonly part: number; readonly level: number } {
  const level = levelOf(amount, [claimant, ...others]);
  if (level === Infinity) {
    const theirs = others.reduce((total, other) => total + other.wants, 0);
    return { part: amount - theirs, level };
  }
  return { part: lifted(claimant, level), level };
}
