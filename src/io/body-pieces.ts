/**
 * By default the runtime gives 4 KB at once: 25 MB would be 6,400 promises, which take longer than
 * everything else that is done with the bytes.
 */
const PIECE_BYTES = 65_536;

type Piece = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

/** A body's pieces, one after the other. */
export interface BodyPieces {
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
