import { describe, expect, it, vi } from "vitest";
import type { CallEvent, CallEvents } from "../../src/generation/call-events.ts";
import { pumpStream } from "../../src/generation/pump-stream.ts";

const CLOSED: CallEvent = { kind: "closed", items: [], complete: true };
const word = (text: string): CallEvent => ({
  kind: "choice",
  index: 0,
  event: { kind: "text", text },
});

const said = (event: CallEvent): string =>
  event.kind === "choice" && event.event.kind === "text" ? event.event.text : "|";

const nothing = () => undefined;

describe("pumpStream", () => {
  it("asks for the next event when the last one's bytes were taken, and not before", async () => {
    let asked = 0;
    async function* many(): CallEvents {
      while (asked < 20) {
        asked += 1;
        yield word(`${asked} `);
      }
      yield CLOSED;
    }
    const { body } = pumpStream(many(), said, nothing);
    const reader = body.getReader();
    await scheduler.wait(20);
    expect(asked).toBe(1);
    const decoder = new TextDecoder();
    for (let read = 1; read <= 5; read += 1) {
      // oxlint-disable no-await-in-loop -- one after the other
      expect(decoder.decode((await reader.read()).value)).toBe(`${read} `);
      await scheduler.wait(5);
      // oxlint-enable no-await-in-loop
      expect(asked).toBe(read + 1);
    }
    await reader.cancel();
  });

  it("is closed before its last word is read", async () => {
    async function* short(): CallEvents {
      yield CLOSED;
    }
    const { body, closed, done } = pumpStream(short(), said, nothing);
    expect(await closed).toBe(CLOSED);
    expect(await new Response(body).text()).toBe("|");
    await done;
  });

  it("goes on when the reader has left, writes no more, and leaves no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const render = vi.fn(said);
    async function* three(): CallEvents {
      yield word("a");
      await scheduler.wait(10);
      yield word("b");
      yield CLOSED;
    }
    const { body, closed, done } = pumpStream(three(), render, nothing);
    await body.cancel();
    expect(await closed).toBe(CLOSED);
    await done;
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it.each(["render", "events"])(
    "rejects for a bug in its %s, ends the engines and the body",
    async (where) => {
      const end = vi.fn(nothing);
      async function* broken(): CallEvents {
        yield word("a");
        if (where === "events") throw new Error("a bug");
      }
      const render = () => {
        if (where === "render") throw new Error("a bug");
        return "a";
      };
      const { body, closed, done } = pumpStream(broken(), render, end);
      const reading = new Response(body).text().catch((error: unknown) => error);
      await expect(() => closed).rejects.toThrow("a bug");
      await done;
      expect(end).toHaveBeenCalled();
      expect(await reading).toBeInstanceOf(Error);
    },
  );
});
