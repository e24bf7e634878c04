import type { Window } from "../ledger/rate-limit.ts";
import { SumTree } from "./sum-tree.ts";

// The sums of one class of the account's rates: how much each tenant took within the minute. They are updated
// as units come and leave, so that a question costs as many steps as the logarithm of the number of takers.
// They change in place with a clock that never goes back; after a transaction is rolled back they must be
// built again.

const BUCKETS_MS = 61_000;

/**
 * When units that are counted in a second leave: a bucket counts as long as it may share a minute with now.
 */
export const leavesMs = (second: number): number => second * 1000 + BUCKETS_MS;

interface Taker {
  readonly tenant: string;
  /** Distinguishes takers with equal amounts. */
  readonly order: number;
  /** A second and its units in turn, oldest first. An array that never grows has no spare room. */
  window: readonly number[];
  took: number;
  /** The end of its time in line after a refusal; 0: it is not in line. */
  inLineUntilMs: number;
}

/** The units that were taken in one second. */
interface Second {
  readonly second: number;
  units: number;
  readonly takers: Taker[];
}

export class ClassRates {
  readonly #takers = new Map<string, Taker>();
  #orders = 0;
  /** Oldest first: the seconds of a permit's life and of the minute after it. */
  readonly #seconds: Second[] = [];
  #total = 0;
  /** The part of `#total` with takers that are no longer known. */
  #nobodys = 0;
  /** The amounts taken: of all takers, and of those that are not in line. */
  readonly #all = new SumTree();
  readonly #satisfied = new SumTree();
  /** The takers in line, by the end of that time. */
  readonly #inLine = new SumTree<Taker>();

  /** Visited nodes of its trees, for tests that count them. */
  get steps(): number {
    return this.#all.steps + this.#satisfied.steps + this.#inLine.steps;
  }

  get isEmpty(): boolean {
    return this.#takers.size === 0 && this.#seconds.length === 0;
  }

  /** The number of tenants that took units within the minute or are in line. */
  get takers(): number {
    return this.#takers.size;
  }

  /** Units that all tenants took within the minute. */
  get total(): number {
    return this.#total;
  }

  /** The same by second, oldest first. */
  get window(): Window {
    return this.#seconds.map(({ second, units }) => [second, units] as const);
  }

  took(tenant: string): number {
    return this.#takers.get(tenant)?.took ?? 0;
  }

  /** When the first of the tenant's units leave, or of all units if it has none; null: there are none. */
  leavesFirstMs(tenant: string): number | null {
    const first = this.#takers.get(tenant)?.window[0] ?? this.#seconds[0]?.second;
    return first === undefined ? null : leavesMs(first);
  }

  /**
   * The units never go into an earlier second than the taker's last one, even when permits of the class now
   * live shorter.
   */
  count(tenant: string, units: number, second: number): void {
    const taker = this.#taker(tenant);
    const last = taker.window.at(-2);
    const into = Math.max(second, last ?? 0);
    const of = this.#second(into, units);
    if (last === into) {
      const before = taker.window.at(-1) ?? 0;
      taker.window = taker.window.slice(0, -1).concat(before + units);
    } else {
      taker.window = taker.window.concat(into, units);
      of.takers.push(taker);
    }
    this.#change(taker, () => (taker.took += units));
  }

  /** Counts units with an unknown taker. */
  countNobodys(units: number, second: number): void {
    this.#second(second, units);
    this.#nobodys += units;
  }

  /** Puts a tenant that was refused in line. */
  want(tenant: string, untilMs: number): void {
    const taker = this.#taker(tenant);
    this.#change(taker, () => (taker.inLineUntilMs = untilMs));
  }

  /** Forgets units that were taken a minute ago, and ends times in line. */
  advance(nowMs: number): void {
    while (this.#inLine.least <= nowMs) {
      const taker = this.#inLine.first;
      if (taker === null) break;
      this.#change(taker, () => (taker.inLineUntilMs = 0));
    }
    for (let first = this.#seconds[0]; first !== undefined; first = this.#seconds[0]) {
      if (leavesMs(first.second) > nowMs) return;
      this.#seconds.shift();
      this.#total -= first.units;
      let owned = 0;
      for (const taker of first.takers) {
        const units = taker.window[1] ?? 0;
        taker.window = taker.window.slice(2);
        owned += units;
        this.#change(taker, () => (taker.took -= units));
      }
      this.#nobodys -= first.units - owned;
    }
  }

  /**
   * The units that this taker may have in a minute of `limit`, by max-min fairness: nobody gets more at the
   * expense of a taker with less. Takers that want little get it, and the takers in line share the rest in
   * equal parts. If the parts do not divide evenly, some takers get one unit more.
   */
  fairUnits(tenant: string, limit: number): number {
    const shared = limit - this.#nobodys;
    const own = this.#takers.get(tenant) ?? null;
    const isInLine = own !== null && own.inLineUntilMs > 0;
    const inLine = this.#inLine.count - (isInLine ? 1 : 0);
    const ofSatisfied = own === null || isInLine ? 0 : own.took;
    // The units that all take if nobody has more than `level`.
    const fits = (level: number): number => {
      const satisfied = level * this.#satisfied.count - this.#satisfied.lackOf(level);
      return level * (1 + inLine) + satisfied - Math.min(ofSatisfied, level);
    };
    let low = 0;
    let high = shared + 1;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (fits(middle) <= shared) low = middle;
      else high = middle;
    }
    const extra = shared - fits(low);
    const withExtra = this.#all.countAbove(low) - (own !== null && own.took > low ? 1 : 0);
    return withExtra < extra ? low + 1 : low;
  }

  #taker(tenant: string): Taker {
    const known = this.#takers.get(tenant);
    if (known !== undefined) return known;
    const order = (this.#orders += 1);
    const fresh: Taker = { tenant, order, window: [], took: 0, inLineUntilMs: 0 };
    this.#takers.set(tenant, fresh);
    return fresh;
  }

  #second(second: number, units: number): Second {
    this.#total += units;
    let at = this.#seconds.length;
    while (at > 0 && (this.#seconds[at - 1]?.second ?? 0) > second) at -= 1;
    const before = this.#seconds[at - 1];
    if (before?.second === second) {
      before.units += units;
      return before;
    }
    const fresh: Second = { second, units, takers: [] };
    this.#seconds.splice(at, 0, fresh);
    return fresh;
  }

  /** Updates a taker and its places in the trees; forgets it when it took nothing and is not in line. */
  #change(taker: Taker, work: () => void): void {
    this.#place(taker, "remove");
    work();
    if (taker.took === 0 && taker.inLineUntilMs === 0) this.#takers.delete(taker.tenant);
    else this.#place(taker, "add");
  }

  #place(taker: Taker, how: "add" | "remove"): void {
    const { took, order, inLineUntilMs } = taker;
    const move = <Item>(tree: SumTree<Item>, key: number, item: Item): void => {
      if (how === "add") tree.add(key, order, item);
      else tree.remove(key, order);
    };
    if (inLineUntilMs > 0) move(this.#inLine, inLineUntilMs, taker);
    if (took === 0) return;
    move(this.#all, took, null);
    if (inLineUntilMs === 0) move(this.#satisfied, took, null);
  }
}
