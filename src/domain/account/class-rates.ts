import type { Window } from "../ledger/rate-limit.ts";
import { SumTree } from "./sum-tree.ts";

// One class of the account's rates with its sums: who took how much within the minute, kept as units come
// and leave, so that a question costs as many steps as the logarithm of the number of takers. It is changed
// in place, and its clock never goes back: whoever rolls a transaction back builds it anew.

const BUCKETS_MS = 61_000;

/** When units counted in a second leave: a bucket counts while it may share a minute with now. */
export const leavesMs = (second: number): number => second * 1000 + BUCKETS_MS;

interface Taker {
  readonly tenant: string;
  /** Tells takers apart that took the same. */
  readonly order: number;
  /** `[second, units]`, oldest first. */
  readonly window: [second: number, units: number][];
  took: number;
  /** It was refused, and is thought to want more until then; 0: it is not. */
  hungryUntilMs: number;
}

/** What was taken in one second. */
interface Second {
  readonly second: number;
  units: number;
  readonly takers: Set<Taker>;
}

export class ClassRates {
  readonly #takers = new Map<string, Taker>();
  #orders = 0;
  /** Oldest first: as many as a permit's life and the minute after it have. */
  readonly #seconds: Second[] = [];
  #total = 0;
  /** Of these, units of which it is not known any more who took them. */
  #nobodys = 0;
  /** What each took: all takers, and those that are not hungry. */
  readonly #all = new SumTree();
  readonly #content = new SumTree();
  /** The hungry, by when they are so no more. */
  readonly #hungry = new SumTree<Taker>();

  /** Nodes of its trees that were looked at, for tests that count them. */
  get steps(): number {
    return this.#all.steps + this.#content.steps + this.#hungry.steps;
  }

  get isEmpty(): boolean {
    return this.#takers.size === 0 && this.#seconds.length === 0;
  }

  /** Who took something within the minute, or wants more. */
  get takers(): number {
    return this.#takers.size;
  }

  /** Within the minute, of all. */
  get total(): number {
    return this.#total;
  }

  /** What all took, oldest first. */
  get window(): Window {
    return this.#seconds.map(({ second, units }) => [second, units] as const);
  }

  took(tenant: string): number {
    return this.#takers.get(tenant)?.took ?? 0;
  }

  /** When the first of a tenant's units leave, or of all where it has none; null: there are none. */
  leavesFirstMs(tenant: string): number | null {
    const first = this.#takers.get(tenant)?.window[0]?.[0] ?? this.#seconds[0]?.second;
    return first === undefined ? null : leavesMs(first);
  }

  /** Never before the taker's last second: a class whose permits live shorter than before counts later. */
  count(tenant: string, units: number, second: number): void {
    const taker = this.#taker(tenant);
    const last = taker.window.at(-1);
    const into = Math.max(second, last?.[0] ?? 0);
    if (last !== undefined && last[0] === into) last[1] += units;
    else taker.window.push([into, units]);
    this.#second(into, units).takers.add(taker);
    this.#change(taker, () => (taker.took += units));
  }

  /** Units that somebody took: who it was is not known. */
  countNobodys(units: number, second: number): void {
    this.#second(second, units);
    this.#nobodys += units;
  }

  /** It was refused. */
  want(tenant: string, untilMs: number): void {
    const taker = this.#taker(tenant);
    this.#change(taker, () => (taker.hungryUntilMs = untilMs));
  }

  /** What was taken a minute ago leaves, and who was refused then is thought to want nothing more. */
  advance(nowMs: number): void {
    while (this.#hungry.least <= nowMs) {
      const taker = this.#hungry.first;
      if (taker === null) break;
      this.#change(taker, () => (taker.hungryUntilMs = 0));
    }
    for (let first = this.#seconds[0]; first !== undefined; first = this.#seconds[0]) {
      if (leavesMs(first.second) > nowMs) return;
      this.#seconds.shift();
      this.#total -= first.units;
      let owned = 0;
      for (const taker of first.takers) {
        const units = taker.window.shift()?.[1] ?? 0;
        owned += units;
        this.#change(taker, () => (taker.took -= units));
      }
      this.#nobodys -= first.units - owned;
    }
  }

  /**
   * Max-min fairness: nobody gets more at the price of one who has less. Whoever wants little gets it, and
   * what they leave is shared in equal parts by the hungry. How many units this taker may have in a minute of
   * `limit`; of what does not divide, as many takers get one more as there are units.
   */
  fairUnits(tenant: string, limit: number): number {
    const shared = limit - this.#nobodys;
    const own = this.#takers.get(tenant) ?? null;
    const isHungry = own !== null && own.hungryUntilMs > 0;
    const hungry = this.#hungry.count - (isHungry ? 1 : 0);
    const ofContent = own === null || isHungry ? 0 : own.took;
    // What all take if nobody has more than a level.
    const fits = (level: number): number => {
      const content = level * this.#content.count - this.#content.lackOf(level);
      return level * (1 + hungry) + content - Math.min(ofContent, level);
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
    const fresh: Taker = { tenant, order, window: [], took: 0, hungryUntilMs: 0 };
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
    const fresh: Second = { second, units, takers: new Set() };
    this.#seconds.splice(at, 0, fresh);
    return fresh;
  }

  /** Who took nothing and wants nothing is forgotten. */
  #change(taker: Taker, work: () => void): void {
    this.#stand(taker, "remove");
    work();
    if (taker.took === 0 && taker.hungryUntilMs === 0) this.#takers.delete(taker.tenant);
    else this.#stand(taker, "add");
  }

  #stand(taker: Taker, how: "add" | "remove"): void {
    const { took, order, hungryUntilMs } = taker;
    const move = <Item>(tree: SumTree<Item>, key: number, item: Item): void => {
      if (how === "add") tree.add(key, order, item);
      else tree.remove(key, order);
    };
    if (hungryUntilMs > 0) move(this.#hungry, hungryUntilMs, taker);
    if (took === 0) return;
    move(this.#all, took, null);
    if (hungryUntilMs === 0) move(this.#content, took, null);
  }
}
