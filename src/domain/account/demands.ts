import { SumTree } from "./sum-tree.ts";

// Max-min fairness among the tenants that want more of a pool: nobody gets more at the expense of a tenant
// with less. Tenants that want little get it, and the others share the rest in equal parts. All amounts are
// whole numbers. Sums tell how much all of them take up to a level, so a level is found in as many steps as
// its number has bits.

/** A tenant that wants more of the pool, beyond its floor. */
export interface Claimant {
  /** The amount that it has. */
  readonly has: number;
  /** The further amount that it would take; `Infinity`: as much as it can get. */
  readonly wants: number;
}

/** A tenant that asked within the last minute: the others make room for its wants. */
export interface Demand extends Claimant {
  /** The amount that it has spent beyond its floor. */
  readonly paid: number;
}

export class Demands {
  readonly #has = new SumTree();
  /** The amounts that they have plus the amounts that they want. */
  readonly #full = new SumTree();
  readonly #paid = new SumTree();

  get steps(): number {
    return this.#has.steps + this.#full.steps + this.#paid.steps;
  }

  /** @param order a number of the tenant, unique to it */
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

  /** The least amount that one of them has; `Infinity`: there are none. */
  get leastHas(): number {
    return this.#has.least;
  }

  /**
   * The part of `amount` for a claimant, after all others took theirs.
   *
   * @param own the claimant's own known demand, which does not count among the others
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

  /** The same if everyone wants as much as it can get, measured by claimed or by spent amounts. */
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

/** The highest whole level to which `amount` lifts everyone; `taken` is the amount that a level takes. */
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

/** The amount that a claimant takes when everyone is lifted to `level`. */
const lifted = ({ has, wants }: Claimant, level: number): number =>
  Math.max(0, Math.min(level, has + wants) - has);

const isSame = (a: Demand, b: Demand): boolean =>
  a.has === b.has && a.wants === b.wants && a.paid === b.paid;
