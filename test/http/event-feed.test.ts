import { describe, expect, it } from "vitest";
import { EVERY_MS, eventFeed } from "../../src/http/event-feed.ts";

/** Everything that a feed says of these answers in turn, and how long it waited between them. */
async function said(answers: unknown[], forS = 60) {
  const waited: number[] = [];
  const response = eventFeed({
    event: "limits",
    first: answers.shift(),
    read: async () => answers.shift() ?? null,
    forS,
    pause: async (ms) => void waited.push(ms),
  });
  return { text: await response.text(), type: response.headers.get("content-type"), waited };
}

describe("a feed", () => {
  it("tells how it stands, and again only when that has changed", async () => {
    const { text, type, waited } = await said([{ a: 1 }, { a: 1 }, { a: 2 }]);
    expect(type).toBe("text/event-stream");
    expect(text).toBe('event: limits\ndata: {"a":1}\n\n: \n\nevent: limits\ndata: {"a":2}\n\n');
    expect(waited).toEqual([EVERY_MS, EVERY_MS, EVERY_MS]);
  });

  it("ends in time", async () => {
    const endless = Array.from({ length: 100 }, (_, a) => ({ a }));
    expect((await said([...endless])).text.match(/data/g)).toHaveLength(31);
    expect((await said([...endless], 5)).text.match(/data/g)).toHaveLength(3);
  });

  it("of nothing to wait for tells once", async () => {
    const { text, waited } = await said([{ a: 1 }, { a: 2 }], 0);
    expect(text).toBe('event: limits\ndata: {"a":1}\n\n');
    expect(waited).toEqual([]);
  });

  it("ends when it cannot be told any more", async () => {
    expect((await said([{ a: 1 }, null, { a: 2 }])).text.match(/data/g)).toHaveLength(1);
  });

  it("keeps an event on one line, whatever is in it", async () => {
    expect((await said([{ a: "x\n\ndata: y" }], 0)).text).toBe(
      'event: limits\ndata: {"a":"x\\n\\ndata: y"}\n\n',
    );
  });

  it("asks nothing once its reader has gone", async () => {
    let asked = 0;
    const response = eventFeed({
      event: "limits",
      first: 0,
      read: async () => (asked += 1),
      forS: 60,
      pause: async () => undefined,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(asked).toBe(0);
  });
});
