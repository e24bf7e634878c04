import { array, assert, asyncProperty, nat, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../src/engines/inference.ts";
import { cutAtStop, untilStop } from "../../src/engines/stop-sequences.ts";

async function* eventsOf(events: readonly ChatEvent[]): AsyncGenerator<ChatEvent, void> {
  yield* events;
}

async function read(events: readonly ChatEvent[], stop: unknown): Promise<ChatEvent[]> {
  const all = [];
  for await (const event of untilStop(eventsOf(events), stop)) all.push(event);
  return all;
}

const said = (events: readonly ChatEvent[]): string =>
  events.map((event) => (event.kind === "text" ? event.text : "")).join("");

const END: readonly ChatEvent[] = [
  { kind: "finish", reason: "length" },
  { kind: "usage", usage: { input_token: 1, output_token: 2 } },
  { kind: "end" },
];

describe("untilStop", () => {
  it("shows what the whole text cut shows, however it comes in pieces", async () => {
    const few = string({ unit: "grapheme-ascii", maxLength: 30 }).map((text) =>
      text.replace(/[^ab]/g, (unit) => (unit < "O" ? "a" : "b")),
    );
    const stops = array(
      few.filter((text) => text !== "").map((text) => text.slice(0, 4)),
      { maxLength: 4 },
    );
    await assert(
      asyncProperty(few, stops, array(nat({ max: 30 })), async (text, stop, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted(
          (a, b) => a - b,
        );
        const pieces = places.map((from, at) => text.slice(from, places[at + 1] ?? from));
        const texts = pieces.map((piece): ChatEvent => ({ kind: "text", text: piece }));
        const whole = cutAtStop(text, stop);
        const shown = await read([...texts, ...END], stop);
        expect(said(shown)).toBe(whole.text);
        const reason = whole.stopped ? "stop" : "length";
        expect(shown.filter(({ kind }) => kind !== "text")).toEqual([
          { kind: "finish", reason },
          ...END.slice(1),
        ]);
        // Of a stream that was cut all is shown that was said.
        expect(said(await read(texts, stop))).toBe(whole.text);
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  it("shows at once what can be no beginning", async () => {
    const events = untilStop(
      eventsOf([
        { kind: "text", text: "hello E" },
        { kind: "text", text: "nd" },
      ]),
      "END",
    );
    expect((await events.next()).value).toEqual({ kind: "text", text: "hello " });
    expect((await events.next()).value).toEqual({ kind: "text", text: "End" });
  });
});
