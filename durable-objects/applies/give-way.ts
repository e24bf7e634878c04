// Tenants are changed as fast as nobody is kept waiting. On Cloudflare objects are far apart, and there is
// room for all; one server that runs them all on one thread has none to spare, and calls come first. How
// late a short pause ends tells how many wait there.

/** A pause that is long enough for others to begin. */
const SHORT_MS = 4;

/** So many times as long as it was late is waited once more: this work is then the smaller part. */
const TIMES = 4;

const LONGEST_MS = 1000;

/** @param sleep resolves after so long, or later where others are busy */
export async function giveWay(sleep: (ms: number) => Promise<void>): Promise<void> {
  const begunMs = Date.now();
  await sleep(SHORT_MS);
  const lateMs = Date.now() - begunMs - SHORT_MS;
  if (lateMs > 0) await sleep(Math.min(TIMES * lateMs, LONGEST_MS));
}
