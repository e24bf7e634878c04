import type { Day } from "../../../src/domain/ledger/period.ts";
import type { PoolStore } from "./pool-store.ts";

/**
 * How much each day that is over takes of its month, in µN: written down once, so that a month is never
 * added up from the shares of all its days. A share of such a day that changes later changes its sum in
 * the same transaction. Memory is what was read of the rows; `forget` drops it.
 */
export class DaySums {
  readonly #store: PoolStore;
  #claims: Map<Day, number> | null = null;

  constructor(store: PoolStore) {
    this.#store = store;
  }

  forget(): void {
    this.#claims = null;
  }

  /** Undefined: it is not written down. */
  claimOf(day: Day): number | undefined {
    return this.#known.get(day);
  }

  write(day: Day, claim: number): void {
    this.#known.set(day, claim);
    this.#store.writeDayClaim(day, claim);
  }

  /** Adds the shares of a day up, whose sum nobody wrote down in time. */
  addUp(day: Day): number {
    const claim = this.#store.claimOf(day);
    // A day without a share takes no row.
    if (claim === 0) this.#known.set(day, 0);
    else this.write(day, claim);
    return claim;
  }

  get #known(): Map<Day, number> {
    return (this.#claims ??= new Map(
      this.#store.listDayClaims().map(({ day, claim }) => [day, claim]),
    ));
  }
}
