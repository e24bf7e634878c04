import { describe, expect, it } from "vitest";
import type { OutputWindow } from "../../src/domain/moderation/guard.ts";
import type { CallEvent, CallEvents, ChoiceEvent } from "../../src/generation/call-events.ts";
import type { ChatGuard } from "../../src/generation/chat-guard.ts";
import { guardStream } from "../../src/generation/guard-stream.ts";

// What a guard lets pass of a stream, against verdicts that come when a test says so.

const RESULTS = { input: { kind: "unguarded" }, output: { kind: "judged", verdicts: [] } } as const;

const CLOSED: CallEvent = { kind: "closed", items: [], complete: true };

function aGuard(verdict: (window: OutputWindow, choice: number) => Promise<boolean>) {
  const windows: OutputWindow[] = [];
  const guard: ChatGuard = {
    modes: { input: "off", output: "block" },
    prompt: async () => false,
    answer: async (_, output) => output,
    window(choice, window) {
      windows.push(window);
      return verdict(window, choice);
    },
    results: () => RESULTS,
    items: () => [],
    account: () => null,
  };
  return { guard, windows };
}

async function* streamOf(events: readonly CallEvent[]): CallEvents {
  yield* events;
}

const text = (said: string, index = 0): CallEvent => ({
  kind: "choice",
  index,
  event: { kind: "text", text: said },
});
const toolCall = (given: string): CallEvent => ({
  kind: "choice",
  index: 0,
  event: { kind: "tool_calls", deltas: [{ index: 0, arguments: given }] },
});

const finish = (index = 0): CallEvent => ({
  kind: "choice",
  index,
  event: { kind: "finish", reason: "stop" },
});

async function passed(guard: ChatGuard, events: readonly CallEvent[]) {
  const all: CallEvent[] = [];
  for await (const event of guardStream(guard, streamOf(events))) all.push(event);
  return all;
}

const saidBy = (events: readonly CallEvent[], index = 0): string =>
  events
    .flatMap((event) => (event.kind === "choice" && event.index === index ? [event.event] : []))
    .map((event: ChoiceEvent) => (event.kind === "text" ? event.text : ""))
    .join("");

const reasons = (events: readonly CallEvent[], index = 0): string[] =>
  events.flatMap((event) =>
    event.kind === "choice" && event.index === index && event.event.kind === "finish"
      ? [event.event.reason]
      : [],
  );

const LONG = "word ".repeat(100);

describe("a guarded stream", () => {
  it("gives nothing before its verdict", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { guard, windows } = aGuard(() => promise);
    const stream = guardStream(guard, streamOf([text("held "), text("back"), finish(), CLOSED]));
    const first = stream.next();
    let given = false;
    void first.then(() => {
      given = true;
    });
    await scheduler.wait(5);
    expect(windows.map((window) => window.fresh)).toEqual(["held back"]);
    expect(given).toBe(false);
    resolve(false);
    expect((await first).value).toEqual(text("held "));
  });

  it("gives all that passes as it came, with its end and what was found", async () => {
    const { guard } = aGuard(async () => false);
    const pieces = Array.from({ length: 20 }, () => text(LONG));
    const events = await passed(guard, [...pieces, finish(), CLOSED]);
    expect(saidBy(events)).toBe(LONG.repeat(20));
    expect(reasons(events)).toEqual(["stop"]);
    expect(events.at(-1)).toEqual({ ...CLOSED, guard: RESULTS });
  });

  it("ends an answer at the window that is withheld, and goes on with the others", async () => {
    const { guard } = aGuard(async ({ index }, choice) => choice === 0 && index === 1);
    const pieces = Array.from({ length: 20 }, () => [text(LONG, 0), text(LONG, 1)]).flat();
    const events = await passed(guard, [...pieces, finish(0), finish(1), CLOSED]);
    expect(reasons(events, 0)).toEqual(["content_filter"]);
    expect(saidBy(events, 0).length).toBeGreaterThan(500);
    expect(saidBy(events, 0).length).toBeLessThan(2100);
    expect(reasons(events, 1)).toEqual(["stop"]);
    expect(saidBy(events, 1)).toBe(LONG.repeat(20));
  });

  it("judges tools' arguments with the text, and gives them whole or not at all", async () => {
    for (const withheld of [false, true]) {
      const { guard, windows } = aGuard(async () => withheld);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const events = await passed(guard, [
        toolCall('{"city":'),
        toolCall('"Paris"}'),
        finish(),
        CLOSED,
      ]);
      expect(windows.map((window) => window.text)).toEqual(['{"city":"Paris"}']);
      const calls = events.filter(
        (event) => event.kind === "choice" && event.event.kind === "tool_calls",
      );
      expect(calls).toHaveLength(withheld ? 0 : 2);
    }
  });

  it("keeps back what was never judged, when the engine's stream is cut", async () => {
    const { guard, windows } = aGuard(async () => false);
    const cut: CallEvent = { kind: "closed", items: [], complete: false };
    const events = await passed(guard, [text("half a sen"), cut]);
    expect(events).toEqual([{ ...cut, guard: RESULTS }]);
    expect(windows).toEqual([]);
  });
});
