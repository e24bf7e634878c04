// Limits how much of one call runs at once. A call may plan two hundred engine calls, or eight pictures of 4
// MB. All at once, they would wait for each other's connections while their timeouts run, and the pictures,
// each a data URI in a JSON body, would fill the isolate.

export interface Gate {
  /** Runs `work` when `weight` is free, in the order of calls, so that nothing waits for ever. */
  run<Result>(weight: number, work: () => Promise<Result>): Promise<Result>;
}

/** @param capacity the weight that may run at once; no single weight may be larger */
export function createGate(capacity: number): Gate {
  let free = capacity;
  const waiting: { readonly weight: number; readonly start: () => void }[] = [];

  function startNext(): void {
    for (;;) {
      const next = waiting[0];
      if (next === undefined || next.weight > free) return;
      waiting.shift();
      free -= next.weight;
      next.start();
    }
  }

  return {
    async run(weight, work) {
      if (weight > capacity) throw new RangeError("weight above the capacity of the gate");
      if (waiting.length === 0 && weight <= free) {
        free -= weight;
      } else {
        await new Promise<void>((start) => {
          waiting.push({ weight, start });
          startNext();
        });
      }
      try {
        return await work();
      } finally {
        free += weight;
        startNext();
      }
    },
  };
}
