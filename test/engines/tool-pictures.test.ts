import { describe, expect, it } from "vitest";
import { chatEvents } from "../../src/engines/chat-events.ts";
import type { ChatMessage } from "../../src/engines/inference.ts";
import { withToolPictures } from "../../src/engines/tool-pictures.ts";

const picture = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } } as const;
const tool = (id: string, content: ChatMessage["content"]): ChatMessage => ({
  role: "tool",
  tool_call_id: id,
  content,
});

describe("withToolPictures", () => {
  it("shows the pictures of tools behind all their messages", () => {
    const ask: ChatMessage = { role: "user", content: "Look" };
    const thanks: ChatMessage = { role: "user", content: "And now?" };
    const messages = [
      ask,
      tool("a", [{ type: "text", text: "Here:" }, picture]),
      tool("b", "42"),
      thanks,
      tool("c", [picture]),
    ];
    expect(withToolPictures(messages)).toEqual([
      ask,
      tool("a", "Here:\n[picture: see the next message]"),
      tool("b", "42"),
      { role: "user", content: [picture] },
      thanks,
      tool("c", "[picture: see the next message]"),
      { role: "user", content: [picture] },
    ]);
  });

  it("leaves a conversation without them as it is", () => {
    const messages: readonly ChatMessage[] = [{ role: "user", content: [picture] }, tool("a", "1")];
    expect(withToolPictures(messages)).toBe(messages);
  });
});

const chunk = (tool_calls: unknown) => JSON.stringify({ choices: [{ delta: { tool_calls } }] });

async function* data() {
  yield chunk([{ index: 0, function: { name: "f", arguments: "{" } }]);
  yield chunk([{ index: 0, function: { arguments: "}" } }]);
  yield chunk([{ index: 1, id: "theirs", function: { name: "g" } }]);
  yield chunk([{ index: 1, function: { arguments: "{}" } }]);
  yield "[DONE]";
}

describe("a streamed call without an id", () => {
  it("gets one with its first piece, and no other", async () => {
    const ids: unknown[] = [];
    for await (const event of chatEvents(data(), 10)) {
      if (event.kind === "tool_calls") ids.push(...event.deltas.map(({ id }) => id));
    }
    expect(ids).toEqual([expect.stringMatching(/^call_\w{32}$/), undefined, "theirs", undefined]);
  });
});
