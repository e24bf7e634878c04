// How much the shards of one isolate keep in memory together. Several objects of a class may share an
// isolate, which has 128 MB for all of them and for what else they do.

/** What can be read again from storage. */
export interface Forgettable {
  /** Of its memory; 0: it has forgotten it. */
  readonly bytes: number;
  forget(): void;
}

/** The least recently used forget first. One that is gone with its object counts no more. */
export class MemoryBudget {
  readonly #most: number;
  /** The least recently used first. */
  #held: readonly WeakRef<Forgettable>[] = [];

  /** @param most bytes in all; one that alone has more is kept all the same */
  constructor(most: number) {
    this.#most = most;
  }

  /** After each use, and each change of its size. */
  used(one: Forgettable): void {
    const others = this.#held.flatMap((ref) => {
      const held = ref.deref();
      return held === undefined || held === one || held.bytes === 0 ? [] : [held];
    });
    let total = others.reduce((sum, { bytes }) => sum + bytes, one.bytes);
    const kept = others.filter((other) => {
      if (total <= this.#most) return true;
      total -= other.bytes;
      other.forget();
      return false;
    });
    this.#held = [...kept, one].map((held) => new WeakRef(held));
  }
}
