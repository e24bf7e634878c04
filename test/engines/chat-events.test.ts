import { describe, expect, it } from "vitest";
import { chatEvents, type StreamedEvent } from "../../src/engines/chat-events.ts";

async function eventsOf(...chunks: readonly (object | string)[]): Promise<StreamedEvent[]> {
  async function* data() {
    for (const chunk of chunks) yield typeof chunk === "string" ? chunk : JSON.stringify(chunk);
  }
  const events: StreamedEvent[] = [];
  for await (const event of chatEvents(data(), 100)) events.push(event);
  return events;
}

const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
});
const calls = (...tool_calls: readonly object[]) => chunk({ tool_calls });
const call = (id: string, city: string, index = 0) => ({
  index,
  id,
  function: { name: "weather", arguments: JSON.stringify({ city }) },
});

const piece = (given: string) => ({
  index: 0,
  id: "a",
  function: { name: "weather", arguments: given },
});

/** All with the index 0. */
const many = (count: number) =>
  Array.from({ length: count }, (_, at) => calls(call(`c${at}`, "Paris")));

const deltasOf = (events: readonly StreamedEvent[]) =>
  events.flatMap((event) => (event.kind === "tool_calls" ? event.deltas : []));

describe("the tool calls of a stream", () => {
  it("are several where each has the index 0", async () => {
    const events = await eventsOf(calls(call("a", "Paris")), calls(call("b", "Rome")), "[DONE]");
    expect(deltasOf(events)).toEqual([
      { index: 0, id: "a", name: "weather", arguments: '{"city":"Paris"}' },
      { index: 1, id: "b", name: "weather", arguments: '{"city":"Rome"}' },
    ]);
    const mixed = await eventsOf(
      calls(call("a", "Paris")),
      calls(call("b", "Rome")),
      calls(call("c", "Oslo", 1)),
      "[DONE]",
    );
    expect(deltasOf(mixed).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it("are at most 128, whatever index they have", async () => {
    expect(deltasOf(await eventsOf(...many(128), "[DONE]")).at(-1)).toMatchObject({ index: 127 });
    const events = await eventsOf(...many(129), chunk({}, "tool_calls"), "[DONE]");
    expect(deltasOf(events)).toHaveLength(128);
    expect(events.map(({ kind }) => kind)).not.toContain("finish");
  });

  it("may come as pieces of the older function_call", async () => {
    const events = await eventsOf(
      chunk({ content: null, function_call: { name: "weather", arguments: "" } }),
      chunk({ function_call: { arguments: '{"city":' } }),
      chunk({ tool_calls: [], function_call: { arguments: '"Paris"}' } }),
      chunk({}, "function_call"),
      "[DONE]",
    );
    const [first, ...rest] = deltasOf(events);
    expect(first).toEqual({ index: 0, id: expect.any(String), name: "weather", arguments: "" });
    expect(rest).toEqual([
      { index: 0, arguments: '{"city":' },
      { index: 0, arguments: '"Paris"}' },
    ]);
    expect(events).toContainEqual({ kind: "finish", reason: "tool_calls" });
  });

  it("have their id and name once, also where each piece repeats them", async () => {
    const events = await eventsOf(calls(piece("{")), calls(piece("}")), "[DONE]");
    expect(deltasOf(events)).toEqual([
      { index: 0, id: "a", name: "weather", arguments: "{" },
      { index: 0, arguments: "}" },
    ]);
  });

  it("stay one where a piece without a name has another id", async () => {
    const events = await eventsOf(
      calls({ index: 0, id: "a", function: { name: "weather", arguments: "{" } }),
      calls({ index: 0, id: "z", function: { arguments: "}" } }),
      "[DONE]",
    );
    expect(deltasOf(events).map(({ index }) => index)).toEqual([0, 0]);
  });

  it.each([[[chunk({}, "tool_calls"), "[DONE]"]], [["[DONE]"]]])(
    "without arguments get an empty object, before %j",
    async (end) => {
      const bare = { index: 0, id: "a", function: { name: "now", arguments: "" } };
      const events = await eventsOf(calls(bare), ...end);
      expect(deltasOf(events).at(-1)).toEqual({ index: 0, arguments: "{}" });
      expect(events.findLast(({ kind }) => kind === "finish")).toMatchObject({
        reason: "tool_calls",
      });
    },
  );
});

describe("an error of a stream", () => {
  it.each([{ error: { code: 400 } }, { errors: [{}] }, { object: "error", message: "Too long" }])(
    "is given where nothing came before it: %j",
    async (value) => {
      expect(await eventsOf(value, "[DONE]")).toEqual([{ kind: "error", value }]);
    },
  );

  it.each([{ error: { code: 400 } }, { message: "Overloaded" }, chunk({}, "error")])(
    "cuts what came before it: %j",
    async (value) => {
      const events = await eventsOf(chunk({ content: "Hel" }), value, "[DONE]");
      expect(events.map(({ kind }) => kind)).toEqual(["begin", "text"]);
    },
  );
});

describe("a stream without an answer", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2 };
  const empty = { choices: [] };
  const role = chunk({ role: "assistant" });

  it.each([[[empty]], [[empty, { choices: [], usage }]], [[{ usage }]], [[role]]])(
    "has no finish: %j",
    async (chunks) => {
      const kinds = (await eventsOf(...chunks, "[DONE]")).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind !== "usage")).toEqual(["begin", "unanswered"]);
    },
  );

  it("is empty where it has nothing but its end", async () => {
    expect(await eventsOf("[DONE]")).toEqual([]);
  });

  it.each([
    [chunk({ content: "" })],
    [chunk({ refusal: "No." })],
    [chunk({ reasoning_content: "Hm." })],
    [chunk({}, "stop")],
    [calls(call("a", "Paris"))],
    [{ response: "" }],
  ])("is another than one with an empty answer, or without a finish: %j", async (answer) => {
    const events = await eventsOf(empty, answer, "[DONE]");
    const kinds = events.map(({ kind }) => kind);
    expect([kinds.includes("finish"), kinds.at(-1)]).toEqual([true, "end"]);
  });
});
