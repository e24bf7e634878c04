/** mulberry32 with drawing functions: the same seed gives the same draws on every machine. */
export class Random {
  #state;

  constructor(/** @type {number[]} */ ...seeds) {
    // The states are far apart, so that neighbouring seeds share no draws.
    this.#state = seeds.reduce(
      (mixed, seed) => Math.imul(mixed ^ seed, 0x9e3779b1) + 0x85ebca77,
      1,
    );
  }

  /** From 0 to 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(/** @type {number} */ probability) {
    return this.next() < probability;
  }

  /** Both included. */
  integer(/** @type {number} */ least, /** @type {number} */ most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.integer(0, items.length - 1)];
  }

  /** @template T @param {readonly (readonly [number, T])[]} weighted @returns {T} */
  weighted(weighted) {
    let left = this.next() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of weighted) {
      left -= weight;
      if (left < 0) return item;
    }
    return weighted[weighted.length - 1][1];
  }

  word(/** @type {number} */ length) {
    return Array.from({ length }, () => this.integer(0, 35).toString(36)).join("");
  }
}

export const drawnSeed = () => Math.floor(Math.random() * 2 ** 31);
