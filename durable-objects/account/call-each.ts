// Calls to many others, some of which may never answer: a few at a time, none for long, and all together
// not for long either. A later alarm calls those that were not reached.

export interface CallLimits {
  /** Calls at once: one that hangs takes the place of one other. */
  readonly atOnce: number;
  /** How long one may take. */
  readonly eachMs: number;
  /** After so long no other call begins. */
  readonly allMs: number;
}

/** It may still go on: nobody waits for it any more. */
class TookTooLong extends Error {}

/** @throws TookTooLong, or what the work threw */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TookTooLong()), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** In the order given. Returns how many answered in time; never throws. */
export async function callEach<Item>(
  items: readonly Item[],
  call: (item: Item) => Promise<unknown>,
  { atOnce, eachMs, allMs }: CallLimits,
): Promise<number> {
  const endMs = Date.now() + allMs;
  let next = 0;
  let answered = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && Date.now() < endMs) {
      const item = items[next] as Item;
      next += 1;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other, in this lane
        await within(eachMs, call(item));
        answered += 1;
      } catch {
        // A later alarm calls again: what is to be done is written down until it is done.
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return answered;
}
