import { describe, expect, it } from "vitest";
import { readChatReply } from "../../src/engines/chat-reply.ts";
import { parseExactly } from "../../src/io/exact-json.ts";

const replyOf = (message: object, finish_reason: unknown = "stop") => ({
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
});

function outputOf(message: object, finish: unknown = "stop") {
  const answer = readChatReply(replyOf(message, finish), 10);
  return answer.kind === "answered" ? answer.output : null;
}

const calling = (given: object) => ({
  content: null,
  tool_calls: [{ id: "c1", type: "function", function: { name: "find", ...given } }],
});

describe("the reason why an answer ends", () => {
  it.each([
    ["max_tokens", "length"],
    ["MAX_TOKENS", "length"],
    ["model_length", "length"],
    ["SAFETY", "content_filter"],
    ["function_call", "tool_calls"],
    ["eos", "stop"],
    ["constructor", "stop"],
    [null, "stop"],
  ])("is read from %j", (sent, reason) => {
    expect(outputOf({ content: "Hi" }, sent)?.finishReason).toBe(reason);
  });

  it("is no answer where its server gave up", () => {
    expect(outputOf({ content: "Hi" }, "error")).toBeNull();
  });
});

describe("the text of an answer", () => {
  it("may come in parts, of which thoughts are left out", () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
      { type: "text", text: "Good " },
      { type: "text", text: "morning" },
    ];
    expect(outputOf({ content })?.content).toBe("Good morning");
    expect(outputOf({ content: [{ type: "image", url: "x" }] })).toBeNull();
  });
});

describe("a tool call", () => {
  it.each([{ arguments: "" }, { arguments: null }, {}])(
    "without arguments has none: %j",
    (given) => {
      expect(outputOf(calling(given))?.toolCalls[0]?.function.arguments).toBe("{}");
    },
  );

  it("may come as the older function_call", () => {
    const message = { content: null, function_call: { name: "find", arguments: "{}" } };
    for (const sent of [message, { ...message, tool_calls: [] }]) {
      const output = outputOf(sent);
      expect(output?.toolCalls).toMatchObject([{ function: { name: "find", arguments: "{}" } }]);
      expect(output?.finishReason).toBe("tool_calls");
    }
  });

  it("keeps the digits of its numbers where its arguments are an object", () => {
    const given = '{"id":9223372036854775807,"at":[-9007199254740993],"n":1.5}';
    const reply = JSON.stringify(replyOf(calling({ arguments: "X" }))).replace('"X"', given);
    const answer = readChatReply(parseExactly(reply), 10);
    expect(answer).toMatchObject({ output: { toolCalls: [{ function: { arguments: given } }] } });
  });
});
