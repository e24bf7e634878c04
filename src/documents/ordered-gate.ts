// Limits how many engine calls of one document run at once. Those that wait begin by their order, so that
// when the time is up every task has read the same part of the text.

export interface OrderedGate {
  run<Result>(order: number, work: () => Promise<Result>): Promise<Result>;
}

export function createOrderedGate(capacity: number): OrderedGate {
  let free = capacity;
  const waiting: { readonly order: number; readonly start: () => void }[] = [];

  function startNext(): void {
    if (free === 0 || waiting.length === 0) return;
    const first = waiting.reduce((least, one) => (one.order < least.order ? one : least));
    waiting.splice(waiting.indexOf(first), 1);
    free -= 1;
    first.start();
  }

  return {
    async run(order, work) {
      const turn = new Promise<void>((start) => waiting.push({ order, start }));
      // All calls that are made in this turn are known before the first of them begins.
      queueMicrotask(startNext);
      await turn;
      try {
        return await work();
      } finally {
        free += 1;
        startNext();
      }
    },
  };
}
