// A long body that is made as it is read: only a piece of it is in memory as text. What it is made of stays
// in memory until it was read, so a reader has a time limit.

/** 256 kB a second for 45 MB. What is left then is given up. */
const READ_MS = 180_000;

/** Who reads a long reply, and for whom it holds memory. */
export interface Reader {
  /** Bytes that the reader has taken. */
  readonly takenBytes: () => number;
  /** Ends the reply before its end. */
  readonly giveUp: () => void;
}

export interface WrittenBody extends Reader {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when nothing of it is needed any more. Never rejects. */
  readonly written: Promise<void>;
}

/** @param pieces the next one is made when the reader has taken the one before */
export function writtenBody(pieces: Iterable<string>, readMs: number = READ_MS): WrittenBody {
  // Unlike a TransformStream in JavaScript it has no buffer: a write ends when its bytes were taken.
  const { readable, writable } = new IdentityTransformStream();
  const writer: WritableStreamDefaultWriter<Uint8Array> = writable.getWriter();
  const giveUp = (): void =>
    void writer.abort(new Error("not read in time")).catch(() => undefined);
  const encoder = new TextEncoder();
  let takenBytes = 0;
  const write = async (): Promise<void> => {
    const late = setTimeout(giveUp, readMs);
    try {
      for (const piece of pieces) {
        const bytes = encoder.encode(piece);
        // oxlint-disable-next-line no-await-in-loop -- at the reader's pace
        await writer.write(bytes);
        takenBytes += bytes.byteLength;
      }
      await writer.close();
    } catch {
      // The reader has left, or was too slow. A body without its end does not look whole.
      giveUp();
    } finally {
      clearTimeout(late);
    }
  };
  return { body: readable, written: write(), takenBytes: () => takenBytes, giveUp };
}
