import { describe, expect, it } from "vitest";
import { ofResponse, toConversation } from "../../../src/api/responses/conversation.ts";
import { givenItems } from "../../../src/api/responses/input-items.ts";

// Items as the messages of a chat, and back: errors of the chat in the words of this surface.

const ID = "resp_01M7WM9VDG3WVTE8T1RYS3AM18";

const call = (call_id: string) =>
  ({ type: "function_call", call_id, name: "f", arguments: "{}" }) as const;
const output = (call_id: string) =>
  ({ type: "function_call_output", call_id, output: `of ${call_id}` }) as const;

/** The conversation of a request's items, each placed where the request has it. */
function conversationOf(
  input: Parameters<typeof givenItems>[0],
  instructions: string | null = null,
) {
  const items = givenItems(input, ID).flatMap((one) =>
    one.kind === "item" ? [{ item: one.item, path: ["input", one.at] }] : [],
  );
  return toConversation(instructions, items);
}

const messagesOf = (...asked: Parameters<typeof conversationOf>) => {
  const conversation = conversationOf(...asked);
  if (conversation.kind !== "conversation") throw new Error(JSON.stringify(conversation));
  return conversation.messages;
};

describe("the messages of a conversation", () => {
  it("have what is said and called at once in one message", () => {
    expect(
      messagesOf(
        [
          { type: "message", role: "user", content: "Go" },
          { type: "message", role: "assistant", content: "I look" },
          call("a"),
          call("b"),
          output("a"),
          output("b"),
          call("c"),
          output("c"),
        ],
        "Be brief.",
      ),
    ).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Go" },
      {
        role: "assistant",
        content: "I look",
        tool_calls: [
          { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "b", type: "function", function: { name: "f", arguments: "{}" } },
        ],
      },
      { role: "tool", content: "of a", tool_call_id: "a" },
      { role: "tool", content: "of b", tool_call_id: "b" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", content: "of c", tool_call_id: "c" },
    ]);
  });

  it("have parts only where a text alone does not say it", () => {
    const image = { type: "input_image", image_url: "https://a.dev/b.png" } as const;
    const hello = { type: "input_text", text: "Hello" } as const;
    expect(
      messagesOf([
        { type: "message", role: "developer", content: [hello] },
        { type: "message", role: "user", content: [hello, image] },
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No" }] },
      ]),
    ).toEqual([
      { role: "system", content: "Hello" },
      {
        role: "user",
        content: [
          { type: "text", text: "Hello" },
          { type: "image_url", image_url: { url: "https://a.dev/b.png" } },
        ],
      },
      { role: "assistant", content: "No" },
    ]);
  });

  it.each([
    ["an output before its call", [output("a"), call("a")], ["input", 0, "call_id"]],
    ["a call without its output", [call("a"), call("b"), output("a")], ["input"]],
  ])("are not made of %s", (_, input, path) => {
    expect(conversationOf(input)).toMatchObject({ kind: "invalid_request", errors: [{ path }] });
  });
});

describe("a failure of the chat", () => {
  const conversation = conversationOf(
    [
      { type: "message", role: "user", content: "One" },
      call("a"),
      output("a"),
      { type: "message", role: "user", content: "Two" },
    ],
    "Be brief.",
  );
  const paths = conversation.kind === "conversation" ? conversation.paths : [];
  const named = (path: readonly (string | number)[]) => {
    const failure = { kind: "invalid_request", errors: [{ path, detail: "is wrong" }] } as const;
    return ofResponse(failure, { paths }).errors[0]?.path;
  };

  it.each([
    [
      ["messages", 4, "content", 1, "image_url", "url"],
      ["input", 3, "content", 1, "image_url"],
    ],
    [
      ["messages", 3, "content", 0, "image_url", "url"],
      ["input", 2, "output", 0, "image_url"],
    ],
    [["messages", 0], ["instructions"]],
    [["messages"], ["input"]],
    [["idempotency-key"], ["idempotency-key"]],
  ])("at %j is at %j", (path, expected) => {
    expect(named(path)).toEqual(expected);
  });

  it("names a parameter as this surface does", () => {
    const detail = "response_format: no.";
    const failure = { kind: "unsupported_parameter", parameter: "response_format", detail };
    expect(ofResponse(failure, { paths })).toEqual({
      kind: "unsupported_parameter",
      parameter: "text.format",
      detail: "text.format: no.",
    });
    const other = { kind: "engine_busy", charged: false };
    expect(ofResponse(other, { paths })).toBe(other);
  });
});

describe("the items of a request", () => {
  it("keep the id with which they come back, and get one that says whose they are", () => {
    const own = `msg_${ID.slice(5).replace("01M7", "01M8")}_0003`;
    const items = givenItems(
      [
        { type: "message", id: own, role: "assistant", content: "Yes" },
        { type: "message", id: "msg_elsewhere", role: "user", content: "No" },
        { type: "reasoning" },
        { type: "item_reference", id: "rs_1" },
      ],
      ID,
    );
    expect(items.map((one) => (one.kind === "item" ? one.item.id : one.id))).toEqual([
      own,
      `msg_${ID.slice(5)}_0001`,
      "rs_1",
    ]);
    expect(items.map(({ at }) => at)).toEqual([0, 1, 3]);
  });
});
