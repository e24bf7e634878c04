import { piecesOf } from "./body-pieces.ts";

interface Announced {
  readonly expectedBytes?: number | null;
  readonly endsAt?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads a body of at most `maxBytes`, or gives null and cancels it as soon as it is longer.
 *
 * Most bodies come in one piece, which then is the body. More pieces are collected into one growing
 * buffer rather than a list: whoever sends a body one byte at a time would make each byte cost an
 * object of a hundred. (`for await` would do the same for twice the time: an iterator, and another
 * promise a piece.)
 *
 * @param announced `expectedBytes`, so that the buffer need not grow; `endsAt`, where the body's own
 *   protocol ends it: with exactly so many bytes it is not asked whether there are more; `signal`
 *   gives it up, with null
 * @param mayTake asked before each piece is kept: how much has come, and how large the buffer is to
 *   be. A promise is waited for, and nothing more is read meanwhile. False ends the reading with null;
 *   the rest of the body is then the caller's.
 */
export async function readAtMost(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  announced: Announced = {},
  mayTake: (comeBytes: number, bufferBytes: number) => boolean | Promise<boolean> = ALWAYS,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const pieces = piecesOf(body);
  const giveUp = async (): Promise<null> => {
    await pieces.cancel();
    return null;
  };
  const { signal } = announced;
  signal?.addEventListener("abort", () => void giveUp(), { once: true });
  let bytes = new Uint8Array(0);
  let length = 0;
  let isFirst = true;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other
    const { done, value } = await pieces.next();
    if (signal?.aborted === true) return null;
    if (done) break;
    const end = length + value.byteLength;
    if (end > maxBytes) return giveUp();
    const isFull = end > bytes.byteLength;
    const capacity = isFirst ? end : isFull ? grown(bytes, end, announced, maxBytes) : null;
    const allowed = mayTake(end, capacity ?? bytes.byteLength);
    // oxlint-disable-next-line no-await-in-loop -- before more is read
    if (allowed !== true && !(await allowed)) {
      pieces.release();
      return null;
    }
    if (isFirst) {
      isFirst = false;
      bytes = value;
    } else {
      if (capacity !== null) bytes = resized(bytes, capacity);
      bytes.set(value, length);
    }
    length = end;
    if (length === announced.endsAt) break;
  }
  // A piece may lie in a larger buffer, which the body must not keep alive.
  return length === bytes.buffer.byteLength ? bytes : resized(bytes.subarray(0, length), length);
}

const ALWAYS = (): boolean => true;

/** How large a buffer is to be next. */
function grown(
  { byteLength }: Uint8Array,
  end: number,
  { expectedBytes, endsAt = Infinity }: Announced,
  maxBytes: number,
): number {
  const capacity = Math.max(end, 2 * byteLength, expectedBytes ?? 0);
  // No more than was announced, where that is not too little: then there is nothing to cut off.
  return Math.min(capacity, endsAt >= end ? endsAt : maxBytes, maxBytes);
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
