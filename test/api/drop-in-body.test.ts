import { describe, expect, it } from "vitest";
import { isWholeObject } from "../../src/domain/text/json-text.ts";
import { mended, mendedChat, mendedForm } from "../../src/api/drop-in-body.ts";

describe("a body", () => {
  it.each([
    [{ encoding_format: null, input: "a" }, { input: "a" }],
    [
      { tools: [{ function: { name: "f", strict: null } }] },
      { tools: [{ function: { name: "f" } }] },
    ],
    [{ a: [null, { b: null }] }, { a: [null, {}] }],
    [
      {
        schema: {
          properties: { a: { description: null, enum: [null], default: null, const: null } },
        },
      },
      { schema: { properties: { a: { enum: [null], default: null, const: null } } } },
    ],
    [{ user: "", safety_identifier: "" }, {}],
    [
      { user: "u", input: "" },
      { user: "u", input: "" },
    ],
    ["text", "text"],
    [null, null],
  ])("has no null: %j", (sent, read) => {
    expect(mended(sent)).toEqual(read);
  });

  it("keeps bytes as they are", () => {
    const image = new Uint8Array([1, 2]);
    expect(mended({ image, prompt: null })).toEqual({ image });
  });
});

describe("a form", () => {
  it("has no field that was not filled in", () => {
    const file = new Uint8Array([1]);
    expect(mendedForm({ language: "", model: "m", file })).toEqual({ model: "m", file });
  });
});

const said = (message: unknown): unknown => mendedChat({ messages: [message] });
const CALL = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };

describe("a history", () => {
  it.each([
    [
      { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] },
      { role: "assistant", tool_calls: [CALL] },
    ],
    [
      {
        role: "assistant",
        content: [],
        tool_calls: [{ ...CALL, function: { name: "f", arguments: {} } }],
      },
      { role: "assistant", tool_calls: [CALL] },
    ],
    [
      {
        role: "assistant",
        tool_calls: [{ ...CALL, function: { name: "f", arguments: { a: null } } }],
      },
      {
        role: "assistant",
        tool_calls: [{ ...CALL, function: { name: "f", arguments: '{"a":null}' } }],
      },
    ],
    [
      { role: "assistant", tool_calls: [{ ...CALL, function: { name: "f" } }] },
      { role: "assistant", tool_calls: [CALL] },
    ],
    [
      { role: "user", content: ["hello", { type: "image_url", image_url: "https://a.b/c.png" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "hello" },
          { type: "image_url", image_url: { url: "https://a.b/c.png" } },
        ],
      },
    ],
    [
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "a" },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "a" }] },
    ],
    [
      { role: "function", name: "f", content: "4" },
      { role: "tool", tool_call_id: "f", content: "4" },
    ],
    [
      { role: "user", content: [] },
      { role: "user", content: [] },
    ],
  ])("is taken as other providers write it: %j", (sent, read) => {
    expect(said(sent)).toEqual({ messages: [read] });
  });

  it("needs no choice of tools where there are none", () => {
    expect(mendedChat({ tool_choice: "auto", tools: [] })).toEqual({ tools: [] });
    expect(mendedChat({ tool_choice: "required" })).toEqual({ tool_choice: "required" });
    const asked = { tool_choice: "auto", tools: [CALL] };
    expect(mendedChat(asked)).toEqual(asked);
  });
});

describe("arguments", () => {
  it.each([
    "{}",
    ' {"a":[1,{"b":"}"}]} ',
    String.raw`{"a":"\"}"}`,
    `${"[".repeat(3).replace("[", '{"a":[')}]]]}`,
  ])("are whole: %j", (text) => {
    expect(isWholeObject(text)).toBe(true);
  });

  it.each([
    "",
    "{",
    '{"a":"',
    '{"a":[1,2',
    '{"a":"b}',
    "[]",
    "1",
    '{"a":1}}',
    "{}{}",
    String.raw`{"a":"\"}`,
  ])("are cut off, or none: %j", (text) => {
    expect(isWholeObject(text)).toBe(false);
  });

  it("are looked at once, however deep", () => {
    const deep = `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    expect(isWholeObject(deep)).toBe(true);
  });
});
