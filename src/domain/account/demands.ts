import { SumTree } from "./sum-tree.ts";

// Max-min fairness among the tenants that want something of a pool: nobody gets more at the price of one
// who has less. Whoever wants little gets it, and what they leave is shared by the rest in equal parts.
// Everything here is whole numbers. What all of them take up to a level is read off sums, so that a level
// is found in as many looks as its number has bits.

/** One of those that want something of the pool, beyond their floors. */
export interface Claimant {
  /** What it has. */
  readonly has: number;
  /** How much more it would take; `Infinity`: whatever it can get. */
  readonly wants: number;
}

/** A tenant that asked within the last minute and wants more, as the others have to make room for it. */
export interface Demand extends Claimant {
  /** What it has spent beyond its floor. */
  readonly paid: number;
}

export class Demands {
  readonly #has = new SumTree();
  /** With what they want. */
  readonly #full = new SumTree();
  readonly #paid = new SumTree();

  get steps(): number {
    return this.#has.steps + this.#full.steps + this.#paid.steps;
  }

  /** @param order of the tenant: no two have the same */
  replace(order: number, before: Demand | null, next: Demand | null): void {
    if (before !== null && next !== null && isSame(before, next)) return;
    if (before !== null) {
      this.#has.remove(before.has, order);
      this.#full.remove(before.has + before.wants, order);
      this.#paid.remove(before.paid, order);
    }
    if (next === null) return;
    this.#has.add(next.has, order, null);
    this.#full.add(next.has + next.wants, order, null);
    this.#paid.add(next.paid, order, null);
  }

  /** `Infinity`: nobody wants anything. */
  get leastHas(): number {
    return this.#has.least;
  }

  /**
   * What is left of `amount` for a claimant once all others took what is theirs.
   *
   * @param own what it is known to want: it is no other
   */
  fairPart(amount: number, claimant: Claimant, own: Demand | null): number {
    const theirs = this.#full.sum - this.#has.sum - (own?.wants ?? 0);
    if (theirs + claimant.wants <= amount) return amount - theirs;
    const level = levelOf(amount, Math.max(claimant.has, this.#has.most), (at) => {
      const ofAll = this.#has.lackOf(at) - this.#full.lackOf(at);
      return ofAll - (own === null ? 0 : lifted(own, at)) + lifted(claimant, at);
    });
    return lifted(claimant, level);
  }

  /** The same if all want whatever they can get, by what each has claimed or by what it has spent. */
  equalPart(
    amount: number,
    has: number,
    { own, by }: { readonly own: Demand | null; readonly by: "has" | "paid" },
  ): number {
    const tree = by === "has" ? this.#has : this.#paid;
    const level = levelOf(amount, Math.max(has, tree.most), (at) => {
      const others = tree.lackOf(at) - (own === null ? 0 : Math.max(0, at - own[by]));
      return others + Math.max(0, at - has);
    });
    return Math.max(0, level - has);
  }
}

/** The highest whole level up to which `amount` lifts those that take so much at a level. */
function levelOf(amount: number, highest: number, taken: (level: number) => number): number {
  let low = 0;
  let high = highest + amount + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (taken(middle) <= amount) low = middle;
    else high = middle;
  }
  return low;
}

/** What a claimant takes when everybody is lifted to `level`. */
const lifted = ({ has, wants }: Claimant, level: number): number =>
  Math.max(0, Math.min(level, has + wants) - has);

const isSame = (a: Demand, b: Demand): boolean =>
  a.has === b.has && a.wants === b.wants && a.paid === b.paid;
