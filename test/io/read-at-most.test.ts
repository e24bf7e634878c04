import { describe, expect, it } from "vitest";
import { readAtMost, piecesOf } from "../../src/io/read-at-most.ts";

const bytesOf = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, at) => at % 251);

/** Whoever gives a body up cancels what is still to be written. */
const gone = (): void => {};

/** As the network gives it: of bytes, with the runtime's own pieces. */
function networkBody(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  writer.write(bytes).then(() => writer.close().catch(gone), gone);
  return readable as ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** As a Worker makes it, in these pieces. */
const madeBody = (pieces: readonly Uint8Array<ArrayBuffer>[]) =>
  new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });

async function countPieces(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number> {
  const pieces = piecesOf(body);
  let count = 0;
  // oxlint-disable-next-line no-await-in-loop -- one piece after the other
  while (!(await pieces.next()).done) count += 1;
  return count;
}

describe("the pieces of a body", () => {
  it("are large, where the stream is of bytes", async () => {
    const largest = 1_048_576;
    expect(await countPieces(networkBody(bytesOf(largest)))).toBeLessThan(largest / 32_768);
  });

  it.each([0, 1, 4095, 4096, 4097, 70_000, 300_001])("are %i bytes together", async (length) => {
    const bytes = bytesOf(length);
    expect(await readAtMost(networkBody(bytes), length)).toEqual(bytes);
    if (length > 0) expect(await readAtMost(networkBody(bytes), length - 1)).toBeNull();
  });

  it("are as they were made, where a Worker made them", async () => {
    const pieces = [bytesOf(0), bytesOf(3), bytesOf(0), bytesOf(5000)];
    const whole = new Uint8Array([...bytesOf(3), ...bytesOf(5000)]);
    expect(await readAtMost(madeBody(pieces), 10_000)).toEqual(whole);
  });

  it("leave the rest to others", async () => {
    const body = networkBody(bytesOf(200_000));
    const pieces = piecesOf(body);
    const first = await pieces.next();
    const second = await pieces.next();
    pieces.release();
    const rest = await readAtMost(body, 200_000);
    const read = (first.value?.byteLength ?? 0) + (second.value?.byteLength ?? 0);
    expect(rest?.byteLength).toBe(200_000 - read);
  });
});
