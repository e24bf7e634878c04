import { describe, expect, it } from "vitest";
import { responseEvents } from "../../../src/api/responses/events.ts";
import type { ResponseObject } from "../../../src/api/responses/response.ts";
import type { ChatEvent, ToolCallDelta } from "../../../src/engines/inference.ts";

// Events in the odd orders in which engines send their pieces.

const ID = "resp_01M7WM9VDG3WVTE8T1RYS3AM18";
const BEGUN = { id: ID, status: "in_progress", output: [] } as unknown as ResponseObject;

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into events freely
type Event = any;

const parsed = (raw: string): Event[] =>
  raw
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => JSON.parse(event.slice(event.indexOf("data: ") + "data: ".length)));

/** All events of an answer in these pieces, and what it came to. */
function run(pieces: readonly ChatEvent[]) {
  const events = responseEvents(BEGUN, { responseId: ID, first: 2 });
  const raw = [events.begun(), ...pieces.map((piece) => events.piece(piece))];
  const { events: last, output, ending } = events.finish();
  return { events: parsed([...raw, last].join("")), output, ending, handle: events };
}

const text = (said: string): ChatEvent => ({ kind: "text", text: said });
const thought = (said: string): ChatEvent => ({ kind: "reasoning", text: said });
const calls = (...deltas: ToolCallDelta[]): ChatEvent => ({ kind: "tool_calls", deltas });
const finish = (reason: "stop" | "length" | "tool_calls"): ChatEvent => ({
  kind: "finish",
  reason,
});

const typesOf = (events: readonly Event[]): string[] =>
  events.map(({ type }) => type.replace(/^response\./, ""));

describe("the events of a response", () => {
  it("give calls that grow side by side each its own place", () => {
    const { events, output } = run([
      calls({ index: 0, id: "a", name: "f", arguments: '{"x"' }),
      calls({ index: 1, id: "b", name: "g", arguments: '{"y"' }),
      calls({ index: 0, arguments: ":1}" }, { index: 1, arguments: ":2}" }),
      finish("tool_calls"),
    ]);
    expect(output).toMatchObject([
      { id: `fc_${ID.slice(5)}_0002`, call_id: "a", name: "f", arguments: '{"x":1}' },
      { id: `fc_${ID.slice(5)}_0003`, call_id: "b", name: "g", arguments: '{"y":2}' },
    ]);
    expect(events.map(({ sequence_number: at }) => at)).toEqual([...events.keys()]);
    const places = events.filter(({ delta }) => delta !== undefined);
    expect(places.map(({ output_index: at, delta }) => [at, delta])).toEqual([
      [0, '{"x"'],
      [1, '{"y"'],
      [0, ":1}"],
      [1, ":2}"],
    ]);
  });

  it("begin a call when its name is there, with what came before it", () => {
    const { events, output } = run([
      calls({ index: 0, id: "a" }),
      calls({ index: 0, arguments: "{" }),
      calls({ index: 0, name: "f", arguments: "}" }),
      finish("tool_calls"),
    ]);
    expect(typesOf(events).slice(2)).toEqual([
      "output_item.added",
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
    ]);
    expect(output).toMatchObject([{ call_id: "a", name: "f", arguments: "{}" }]);
  });

  it("lose no call without an id or a name", () => {
    const { output } = run([
      calls({ index: 0, name: "f", arguments: "{}" }, { index: 1, arguments: "{}" }),
      finish("tool_calls"),
    ]);
    expect(output).toMatchObject([
      { call_id: expect.stringMatching(/^call_/), name: "f" },
      { call_id: expect.stringMatching(/^call_/), name: "" },
    ]);
    expect(new Set(output.map((item) => "call_id" in item && item.call_id)).size).toBe(2);
  });

  it("end one kind of item before the next one begins", () => {
    const { events, output } = run([
      thought("Hm"),
      text("I look"),
      calls({ index: 0, id: "a", name: "f", arguments: "{}" }),
      thought("Well"),
      text("Done"),
      text(""),
      finish("stop"),
    ]);
    expect(output.map(({ type }) => type)).toEqual([
      "reasoning",
      "message",
      "function_call",
      "reasoning",
      "message",
    ]);
    const begun = events.filter(({ type }) => /item\.(?:added|done)$/.test(type));
    expect(begun.map(({ output_index: at }) => at)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(events.filter(({ delta }) => delta === "")).toEqual([]);
  });

  it("mark the item at which an answer ended early, and no other", () => {
    const said = run([text("Hel"), finish("length")]);
    expect(said.ending).toEqual({ status: "incomplete", reason: "max_output_tokens" });
    expect(said.output).toMatchObject([{ status: "incomplete" }]);
    const called = run([
      text("I call"),
      calls({ index: 0, id: "a", name: "f" }, { index: 1, id: "b", name: "g" }),
      finish("length"),
    ]);
    expect(called.output.map(({ status }) => status)).toEqual([
      "completed",
      "completed",
      "incomplete",
    ]);
  });

  it("have no item for an answer without a word", () => {
    const { events, output, ending } = run([finish("stop")]);
    expect(typesOf(events)).toEqual(["created", "in_progress"]);
    expect([output, ending]).toEqual([[], { status: "completed" }]);
  });

  it("of an answer that was cut off end with what was whole", () => {
    const events = responseEvents(BEGUN, { responseId: ID, first: 0 });
    events.begun();
    events.piece(thought("Hm"));
    events.piece(text("Hel"));
    const [last] = parsed(events.cut());
    expect(last).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { code: "server_error" } },
    });
    expect(last.response.output.map(({ type }: Event) => type)).toEqual(["reasoning"]);
  });
});
