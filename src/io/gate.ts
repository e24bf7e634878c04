/** Limits how much of one call runs at once. */
export interface Gate {
  /** Runs `work` when its turn has come and `weight` is free. */
  run<Result>(turn: Turn, work: () => Promise<Result>): Promise<Result>;
}

export interface Turn {
  /** How much of the capacity it takes; absent: 1. */
  readonly weight?: number;
  /** The least begins first; absent: 0. Equals begin in the order of their calls. */
  readonly order?: number;
}

interface Waiter {
  readonly weight: number;
  readonly order: number;
  readonly start: () => void;
}

/**
 * Nothing passes the one whose turn it is, so that nothing waits for ever.
 *
 * @param capacity the weight that may run at once; no single weight may be larger
 */
export function createGate(capacity: number): Gate {
  let free = capacity;
  const waiting: Waiter[] = [];

  function startNext(): void {
    for (;;) {
      const next = waiting.reduce(
        (first: Waiter | undefined, one) =>
          first === undefined || one.order < first.order ? one : first,
        undefined,
      );
      if (next === undefined || next.weight > free) return;
      waiting.splice(waiting.indexOf(next), 1);
      free -= next.weight;
      next.start();
    }
  }

  return {
    async run({ weight = 1, order = 0 }, work) {
      if (weight > capacity) throw new RangeError("weight above the capacity of the gate");
      const turn = new Promise<void>((start) => waiting.push({ weight, order, start }));
      // All that are asked for in this turn of the event loop are known before the first of them begins.
      queueMicrotask(startNext);
      await turn;
      try {
        return await work();
      } finally {
        free += weight;
        startNext();
      }
    },
  };
}
