import { array, assert, asyncProperty, constantFrom, nat, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { eventData } from "../../src/engines/server-sent-events.ts";

const UTF8 = new TextEncoder();

/** Bytes in the given pieces, given as they are asked for. */
function bodyOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> & { asked?: number } {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[at];
        at += 1;
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  );
  return [0, ...places].map((from, at) => bytes.subarray(from, places[at] ?? bytes.length));
}

async function all(pieces: readonly Uint8Array[]): Promise<string[]> {
  const read = [];
  for await (const data of eventData(bodyOf(pieces), new AbortController().signal)) read.push(data);
  return read;
}

const text = (value: string) => [UTF8.encode(value)];

describe("eventData", () => {
  it.each([
    ["an event", "data: a\n\n", ["a"]],
    ["without a blank", "data:a\n\n", ["a"]],
    ["several lines", "data: a\ndata: b\n\n", ["a\nb"]],
    ["an empty one", "data:\n\ndata: \n\n", ["", ""]],
    ["comments and other fields", ": hi\nevent: x\nid: 1\nretry: 2\ndata: a\n\n:\n\n", ["a"]],
    ["CR", "data: a\r\rdata: b\r\r", ["a", "b"]],
    ["CRLF", "data: a\r\n\r\n", ["a"]],
    ["all ends mixed", "data: a\r\ndata: b\n\rdata: c\r\n\r\n", ["a\nb", "c"]],
    ["a byte order mark", "\ufeffdata: a\n\n", ["a"]],
    ["no end at the end", "data: a\n\ndata: [DONE]\n", ["a", "[DONE]"]],
    ["a line that was cut", "data: a\n\ndata: b", ["a"]],
    ["nothing", "", []],
  ])("reads %s", async (_, sent, data) => {
    expect(await all(text(sent))).toEqual(data);
  });

  it("reads the same wherever the bytes are split", async () => {
    const line = string({ unit: "grapheme", maxLength: 12 }).map((said) =>
      said.replace(/[\r\n]/g, ""),
    );
    await assert(
      asyncProperty(
        array(line, { maxLength: 6 }),
        constantFrom("\n", "\r\n", "\r"),
        array(nat({ max: 400 }), { maxLength: 30 }),
        async (said, end, cuts) => {
          const bytes = UTF8.encode(said.map((one) => `data: ${one}${end}${end}`).join(""));
          expect(await all(split(bytes, cuts))).toEqual(said);
        },
      ),
      { numRuns: 500, seed: 5 },
    );
  });

  it("takes a CRLF that is split for one end of a line, not for the end of the event", async () => {
    const pieces = ["data: a\r", "\ndata: b\r", "", "\n\r", "\n"].map((piece) =>
      UTF8.encode(piece),
    );
    expect(await all(pieces)).toEqual(["a\nb"]);
  });

  it("reads no further than it is asked to", async () => {
    let asked = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          asked += 1;
          controller.enqueue(UTF8.encode(`data: ${asked}\n\n`));
        },
      },
      { highWaterMark: 0 },
    );
    const events = eventData(body, new AbortController().signal);
    expect([(await events.next()).value, (await events.next()).value]).toEqual(["1", "2"]);
    expect(asked).toBe(2);
    await events.return();
  });

  it.each([
    ["a line", `data: ${"x".repeat(1_100_000)}`],
    ["an event of many lines", "data: xxxxxxxxxxxxxxxxxxx\n".repeat(60_000)],
  ])("does not take %s that is too long", async (_, sent) => {
    await expect(() => all(text(sent))).rejects.toThrow("too long");
  });

  it("does not take bytes that are no UTF-8, nor a character that is cut", async () => {
    await expect(() => all([new Uint8Array([0x64, 0xff, 0x0a])])).rejects.toThrow(TypeError);
    await expect(() => all([UTF8.encode("data: 🦜").subarray(0, -1)])).rejects.toThrow(TypeError);
  });

  it("ends when it is given up, before and while it waits, and lets the body go", async () => {
    for (const before of [true, false]) {
      let cancelled = false;
      const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
      const controller = new AbortController();
      if (before) controller.abort();
      const waiting = eventData(body, controller.signal).next();
      if (!before) controller.abort();
      // oxlint-disable-next-line no-await-in-loop -- two
      await expect(() => waiting).rejects.toThrow("given up");
      expect(cancelled).toBe(true);
    }
  });

  it("takes a line in single bytes without slowing down", async () => {
    const bytes = UTF8.encode(`data: ${"y".repeat(20_000)}\n\n`);
    const pieces = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect((await all(pieces))[0]).toHaveLength(20_000);
  });
});
