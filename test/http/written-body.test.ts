import { describe, expect, it } from "vitest";
import { writtenBody } from "../../src/http/written-body.ts";

/** So many pieces of 64 kB, and how many of them were made. */
function counted(count: number) {
  let made = 0;
  let ended = false;
  function* pieces(): Generator<string, void> {
    try {
      for (; made < count;) {
        made += 1;
        yield String.fromCharCode(64 + made).repeat(65_536);
      }
    } finally {
      ended = true;
    }
  }
  return { pieces: pieces(), made: () => made, ended: () => ended };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("a body that is made as it is read", () => {
  it("is whole and in order", async () => {
    const source = counted(20);
    const { body, written } = writtenBody(source.pieces);
    const text = await new Response(body).text();
    expect(text).toHaveLength(20 * 65_536);
    expect([...new Set(text)].join("")).toBe("ABCDEFGHIJKLMNOPQRST");
    await written;
  });

  it("is not made ahead of its reader", async () => {
    const source = counted(20);
    const { body, written } = writtenBody(source.pieces);
    const reader = body.getReader();
    await pause(20);
    expect(source.made()).toBe(1);
    await reader.read();
    await pause(20);
    expect(source.made()).toBeLessThanOrEqual(2);
    await reader.cancel();
    await written;
    expect([source.made() <= 3, source.ended()]).toEqual([true, true]);
  });

  it("ends without its end for a reader that takes too long", async () => {
    const source = counted(20);
    const { body, written } = writtenBody(source.pieces, 30);
    const reader = body.getReader();
    await reader.read();
    await written;
    expect([source.made() <= 2, source.ended()]).toEqual([true, true]);
    await expect(reader.read()).rejects.toThrow();
  });
});
