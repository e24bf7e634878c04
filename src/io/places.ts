/** Work of which an isolate does only so much at once, because each holds much memory. */
export class Places {
  readonly #limits: PlaceLimits;
  /** Until when each place that is taken counts, in milliseconds. */
  readonly #taken = new Map<symbol, number>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /**
   * Waits for a place. A waiter looks itself: in this runtime a request cannot continue on the promise of
   * another.
   *
   * @returns gives the place back, and can be repeated; null: none became free in time
   */
  async take(): Promise<(() => void) | null> {
    const { most, waitMs, lookMs, goneMs } = this.#limits;
    for (let waitedMs = 0; this.#count() >= most; waitedMs += lookMs) {
      if (waitedMs >= waitMs) return null;
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    const place = Symbol("place");
    this.#taken.set(place, Date.now() + goneMs);
    return () => void this.#taken.delete(place);
  }

  #count(): number {
    const nowMs = Date.now();
    for (const [place, untilMs] of this.#taken) if (untilMs <= nowMs) this.#taken.delete(place);
    return this.#taken.size;
  }
}

export interface PlaceLimits {
  readonly most: number;
  readonly waitMs: number;
  /** How often a waiter looks for a place. */
  readonly lookMs: number;
  /** A place that was not given back after this long is free: the platform may end a request silently. */
  readonly goneMs: number;
}
