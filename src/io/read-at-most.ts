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
        // No more than was announced, where that is not too little: then there is nothing to cut off.
        const { endsAt = maxBytes } = announced;
        bytes = resized(bytes, Math.min(capacity, endsAt >= end ? endsAt : maxBytes));
      }
      bytes.set(value, length);
    }
    length = end;
    if (length === announced.endsAt) break;
  }
  // A piece may lie in a larger buffer, which the body must not keep alive.
  return length === bytes.buffer.byteLength ? bytes : resized(bytes.subarray(0, length), length);
}

/**
 * The memory that it leaves is free at once, where a copy would wait to be collected: a body of 25 MB
 * would lie there three times over.
 */
function resized(bytes: Uint8Array<ArrayBuffer>, capacity: number): Uint8Array<ArrayBuffer> {
  if (bytes.byteOffset === 0) return new Uint8Array(bytes.buffer.transfer(capacity));
  const moved = new Uint8Array(capacity);
  moved.set(bytes);
  return moved;
}
