import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { FileWriter, readBack } from "../../src/io/file-writer.ts";
import { splitLines } from "../../src/io/split-lines.ts";

// Files of the bucket, written piece by piece and read line by line.

const MIB = 1024 * 1024;

async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

describe("a file that is written piece by piece", () => {
  it.each([
    ["nothing", []],
    ["one piece", ["a\n"]],
    ["text beyond ASCII", ["ä\n", "漢字\n"]],
  ])("is one object: %s", async (name, pieces) => {
    const key = `files/${name}`;
    const writer = new FileWriter(env.IMAGES, key);
    for (const piece of pieces) {
      // oxlint-disable-next-line no-await-in-loop -- piece by piece
      await writer.add(piece);
    }
    const written = await writer.close();
    const text = pieces.join("");
    expect(written.sha256).toBe(await sha256(text));
    expect(await readBack(env.IMAGES, key)).toEqual(written);
    expect(await (await env.IMAGES.get(key))?.text()).toBe(text);
  });

  it.each([
    ["exactly two parts", 10 * MIB],
    ["a little more", 10 * MIB + 1],
    ["a little less", 10 * MIB - 1],
  ])("is many parts in one object: %s", async (name, length) => {
    const key = `files/${name}`;
    const writer = new FileWriter(env.IMAGES, key, 5 * MIB);
    const text = "0123456789abcdef".repeat(Math.ceil(length / 16)).slice(0, length);
    for (let at = 0; at < length; at += 3_000_001) {
      // oxlint-disable-next-line no-await-in-loop -- piece by piece
      await writer.add(text.slice(at, at + 3_000_001));
    }
    const written = await writer.close();
    expect(written).toEqual({ bytes: length, sha256: await sha256(text) });
    expect(await readBack(env.IMAGES, key)).toEqual(written);
  });

  it("is not there when it is given up, and nor is one that never was", async () => {
    const writer = new FileWriter(env.IMAGES, "files/given-up", 5 * MIB);
    await writer.add("x".repeat(6 * MIB));
    await writer.abort();
    expect(await readBack(env.IMAGES, "files/given-up")).toBeNull();
  });
});

const streamOf = (chunks: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(Uint8Array.from(chunk, (c) => c.charCodeAt(0)));
      controller.close();
    },
  });

describe("lines of a stream", () => {
  it.each([
    [["a\nb\n"], ["a", "b"]],
    [
      ["a", "b\nc", "\n"],
      ["ab", "c"],
    ],
    [["a\nb"], ["a", "b"]],
    [[""], []],
    [["\u00c3", "\u00a4\n"], ["ä"]],
  ])("%j", async (chunks, expected) => {
    const found: string[] = [];
    for await (const lines of splitLines(streamOf(chunks))) found.push(...lines);
    expect(found).toEqual(expected);
  });
});
