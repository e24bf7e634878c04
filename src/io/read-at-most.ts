interface Announced {
  readonly expectedBytes?: number | null;
  readonly endsAt?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads a body of at most `maxBytes`. As soon as the body is longer, it is cancelled and the result is
 * null.
 *
 * Most bodies come in one piece, which then is the body. More pieces are collected into one growing
 * buffer and not a list: in a body that is sent one byte at a time, each byte would cost an object of a
 * hundred bytes. (`for await` would do the same in twice the time: an iterator, and another promise a
 * piece.)
 *
 * @param announced `expectedBytes`: the first size of the buffer. `endsAt`: the length that the body's
 *   own protocol states; after exactly so many bytes no further read is made. `signal` ends the reading,
 *   with null
 * @param mayTake called before each piece is kept, with the bytes that have arrived and the next size of
 *   the buffer. While it is pending, nothing more is read. False ends the reading with null, and leaves
 *   the rest of the body to the caller.
 */
export async function readAtMost(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  announced: Announced = {},
  mayTake: (receivedBytes: number, bufferBytes: number) => boolean | Promise<boolean> = ALWAYS,
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
  // A piece may be in a larger buffer, which the body must not keep alive.
  return length === bytes.buffer.byteLength ? bytes : resized(bytes.subarray(0, length), length);
}

const ALWAYS = (): boolean => true;

/** The next size of a buffer. */
function grown(
  { byteLength }: Uint8Array,
  end: number,
  { expectedBytes, endsAt = Infinity }: Announced,
  maxBytes: number,
): number {
  const capacity = Math.max(end, 2 * byteLength, expectedBytes ?? 0);
  // No more than the announced length, if the body fits it: then there is nothing to cut off.
  return Math.min(capacity, endsAt >= end ? endsAt : maxBytes, maxBytes);
}

/**
 * Frees the old memory at once, where the memory of a copy would wait for the garbage collector: a body
 * of 25 MB would be in memory three times.
 */
function resized(bytes: Uint8Array<ArrayBuffer>, capacity: number): Uint8Array<ArrayBuffer> {
  if (bytes.byteOffset === 0) return new Uint8Array(bytes.buffer.transfer(capacity));
  const moved = new Uint8Array(capacity);
  moved.set(bytes);
  return moved;
}

/**
 * By default the runtime gives 4 KB at once: 25 MB would be 6,400 promises, which take longer than
 * everything else that is done with the bytes.
 */
const PIECE_BYTES = 65_536;

type Piece = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

/** A body's pieces, one after the other. */
interface BodyPieces {
  /** A piece is valid until the next call, which may read into its memory. */
  readonly next: () => Promise<Piece>;
  /** Tells the sender that no more is wanted. */
  readonly cancel: () => Promise<void>;
  /** Leaves the rest of the body to others. */
  readonly release: () => void;
}

/**
 * The first piece comes as the runtime gives it: most bodies are no more than that. The others are read
 * into 64 KB if the body is a stream of bytes. A stream that a Worker made may not be one.
 */
export function piecesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): BodyPieces {
  const first = body.getReader();
  let reader: ReadableStreamDefaultReader | ReadableStreamBYOBReader = first;
  let isFirst = true;
  let following: (() => Promise<Piece>) | null = null;
  const follow = (): (() => Promise<Piece>) => {
    first.releaseLock();
    const bytes = byteReader(body);
    if (bytes === null) {
      const plain = body.getReader();
      reader = plain;
      return () => plain.read();
    }
    reader = bytes;
    let buffer = new ArrayBuffer(PIECE_BYTES);
    return async () => {
      const piece = await bytes.read(new Uint8Array(buffer));
      if (piece.value !== undefined) buffer = piece.value.buffer;
      return piece;
    };
  };
  return {
    next: () => {
      if (isFirst) {
        isFirst = false;
        return first.read();
      }
      following ??= follow();
      return following();
    },
    cancel: async () => {
      await reader.cancel().catch(() => undefined);
      reader.releaseLock();
    },
    release: () => {
      reader.releaseLock();
    },
  };
}

function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}
