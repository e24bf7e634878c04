/** With the 25 ms between two looks: less than a test may take, so that a test ends with what did not come. */
const MOST_LOOKS = 4000;

/**
 * Looks until something holds that comes by itself, however slow the machine is. The clock stands
 * meanwhile: `vi.waitUntil` would move it with each look. `scheduler` stays real under fake timers.
 */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    if (await holds()) return;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await scheduler.wait(Math.min(looks, 25));
  }
  throw new Error("it does not come");
}
