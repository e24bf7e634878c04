/** Milliseconds to wait before try `n` (from 1): doubles from 0.5 s to 30 s, with jitter. */
export function backOffMs(n: number, random: () => number = Math.random): number {
  const full = Math.min(30_000, 500 * 2 ** (n - 1));
  return Math.round(full / 2 + (full / 2) * random());
}

/** Waits. If `signal` aborts first, it rejects as an aborted fetch does. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
