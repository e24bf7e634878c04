// Keys that were found to have ended, or to have expired: that never changes, so whoever goes on
// sending large bodies with one is refused here, and its tenant's object is not asked again. Anything
// else that a key is refused for may change, and is not remembered.

/** A hash and its place take about 150 bytes. */
const MOST = 4096;

export class EndedKeys {
  readonly #hashes = new Set<string>();

  has(secretHash: string): boolean {
    return this.#hashes.has(secretHash);
  }

  /** The one that was added first makes room. */
  add(secretHash: string): void {
    const [first] = this.#hashes;
    if (this.#hashes.size >= MOST && first !== undefined) this.#hashes.delete(first);
    this.#hashes.add(secretHash);
  }
}
