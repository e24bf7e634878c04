/** Rejects when the signal fires, even if the work ignores the signal. */
export function untilAborted<T>(signal: AbortSignal, running: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    if (signal.aborted) reject(new Error("aborted"));
    running.then(resolve, reject);
  });
}
