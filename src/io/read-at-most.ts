/**
 * Reads a body of at most `maxBytes`, or gives null and cancels it as soon as it is longer.
 *
 * Most bodies come in one piece, which then is the body. More pieces are collected into one growing
 * buffer rather than a list: whoever sends a body one byte at a time would make each byte cost an
 * object of a hundred. (`for await` would do the same for twice the time: an iterator, and another
 * promise a piece.)
 *
 * @param announced `expectedBytes`, so that the buffer need not grow; `endsAt`, where the body's own
 *   protocol ends it: with exactly so many bytes it is not asked whether there are more
 */
export async function readAtMost(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  announced: { readonly expectedBytes?: number | null; readonly endsAt?: number } = {},
): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = body.getReader();
  let bytes = new Uint8Array(0);
  let length = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other
    const { done, value } = await reader.read();
    if (done) break;
    const end = length + value.byteLength;
    if (end > maxBytes) {
      // oxlint-disable-next-line no-await-in-loop -- the last thing that is awaited
      await reader.cancel().catch(() => undefined);
      reader.releaseLock();
      return null;
    }
    if (length === 0) {
      bytes = value;
    } else {
      if (end > bytes.byteLength) {
        const capacity = Math.max(end, 2 * bytes.byteLength, announced.expectedBytes ?? 0);
        bytes = grown(bytes, Math.min(capacity, maxBytes));
      }
      bytes.set(value, length);
    }
    length = end;
    if (length === announced.endsAt) break;
  }
  // A piece may lie in a larger buffer, which the body must not keep alive.
  return length === bytes.buffer.byteLength ? bytes : bytes.slice(0, length);
}

function grown(bytes: Uint8Array<ArrayBuffer>, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(capacity);
  larger.set(bytes);
  return larger;
}
