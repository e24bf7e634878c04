// Writes to a bucket during a call, with a limit on the time.

/** One write and its repeat: with the 60 s of a call they stay within its hold's 90. */
const WRITE_TIMEOUT_MS = 5000;

/**
 * Writes, and repeats a failed write once; false: both failed. A repeat writes the same bytes under the
 * same key, so it changes nothing.
 */
export async function twice(write: () => Promise<unknown>): Promise<boolean> {
  const once = () =>
    within(write()).then(
      () => true,
      () => false,
    );
  return (await once()) || once();
}

/** Rejects when the work takes more than 5 s. */
export async function within<Result>(work: Promise<Result>): Promise<Result> {
  const timer = new AbortController();
  const late = scheduler.wait(WRITE_TIMEOUT_MS, { signal: timer.signal }).then(
    () => Promise.reject(new Error("the bucket did not answer")),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
