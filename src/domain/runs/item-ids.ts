// Ids of the calls of a run: of a batch's items, or of the steps of a pipeline's documents. They are made of
// values that do not change when a step runs again, so that the object recognises each call and charges it
// once. Like all ids they begin with a time: that of the round in which the call was first made.

const OF_RUN = 12;

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * @param roundTime the time in the form of a ULID, ten characters
 * @param index of the item in its run
 */
export function itemIds(
  runId: string,
  roundTime: string,
  index: number,
): { readonly callId: string; readonly requestId: string; readonly verdictId: string } {
  // The last of the run's random characters: 60 bits, unique to the run.
  const own = runId.slice(-OF_RUN);
  const ulid = roundTime + own + base32(index, 4);
  return { callId: `jnl_${ulid}`, requestId: `req_${ulid}`, verdictId: `vrd_${ulid}` };
}

const base32 = (value: number, characters: number): string =>
  Array.from({ length: characters }, (_, at) => {
    const digit = Math.floor(value / 32 ** (characters - 1 - at)) % 32;
    return CROCKFORD[digit] ?? "0";
  }).join("");
