// Keys that have ended or expired. That never changes, so further large bodies with such a key are
// refused here without a call to its tenant's object. Other reasons to refuse a key may change, and are
// not remembered.

/** A hash and its place take about 150 bytes. */
const MOST = 4096;

export class EndedKeys {
  readonly #hashes = new Set<string>();

  has(secretHash: string): boolean {
    return this.#hashes.has(secretHash);
  }

  /** The oldest entry makes room. */
  add(secretHash: string): void {
    const [first] = this.#hashes;
    if (this.#hashes.size >= MOST && first !== undefined) this.#hashes.delete(first);
    this.#hashes.add(secretHash);
  }
}
