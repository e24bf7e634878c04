/** A message's place in the line of its session. */
export interface Place {
  /** True when it is this message's turn; false: it waited for too long, and has no place any more. */
  readonly turn: Promise<boolean>;
  /** Lets the next one begin. */
  readonly leave: () => void;
}

/**
 * Messages of one session, answered one after the other in the order in which they came. The line is in
 * memory alone: with the object that ran a message, the places of those that waited for it are gone too.
 */
export class TurnQueue {
  readonly #most: number;
  readonly #waitMs: number;
  readonly #line: { readonly begin: () => void }[] = [];

  /**
   * @param most messages at once, the one that is answered among them
   * @param waitMs the longest wait for a turn
   */
  constructor(most: number, waitMs: number) {
    this.#most = most;
    this.#waitMs = waitMs;
  }

  get length(): number {
    return this.#line.length;
  }

  /** Null: the line is full. */
  join(): Place | null {
    if (this.#line.length >= this.#most) return null;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { begin: () => resolve(true) };
    const leave = (): void => {
      const at = this.#line.indexOf(waiting);
      if (at < 0) return;
      this.#line.splice(at, 1);
      if (at === 0) this.#line[0]?.begin();
    };
    this.#line.push(waiting);
    if (this.#line.length === 1) {
      resolve(true);
      return { turn: promise, leave };
    }
    const late = setTimeout(() => {
      leave();
      resolve(false);
    }, this.#waitMs);
    void promise.then(() => clearTimeout(late));
    return { turn: promise, leave };
  }
}
