// A bucket under a call, which cannot wait for it for ever.

/** One write and its repeat: with the 60 s of a call they stay within its hold's 90. */
const WRITE_TIMEOUT_MS = 5000;

/** False: it failed both times. The same bytes under the same key: a repeat changes nothing. */
export async function twice(write: () => Promise<unknown>): Promise<boolean> {
  const once = () =>
    within(write()).then(
      () => true,
      () => false,
    );
  return (await once()) || once();
}

export async function within<Result>(work: Promise<Result>): Promise<Result> {
  const given = new AbortController();
  const late = scheduler.wait(WRITE_TIMEOUT_MS, { signal: given.signal }).then(
    () => Promise.reject(new Error("the bucket did not answer")),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    given.abort();
  }
}
