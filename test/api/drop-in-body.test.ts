import { describe, expect, it } from "vitest";
import { isWholeObject } from "../../src/domain/text/json-text.ts";
import { parseExactly } from "../../src/io/exact-json.ts";
import { mendedResponse } from "../../src/api/responses/mended-body.ts";
import { mended, mendedChat, mendedForm, mendedModeration } from "../../src/api/drop-in-body.ts";

const aTool = (parameters: object) => ({ tools: [{ function: { name: "f", parameters } }] });

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
    [{ user: "", safety_identifier: "", reasoning_effort: "", previous_response_id: "" }, {}],
    [{ stop: "" }, {}],
    [{ stop: ["", "a", null] }, { stop: ["a"] }],
    [
      { user: "u", input: "" },
      { user: "u", input: "" },
    ],
    ["text", "text"],
    [null, null],
  ])("has no null: %j", (sent, read) => {
    expect(mended(sent)).toEqual(read);
  });

  it.each<[string, object, object]>([
    ["an enum", { enum: null, type: "string" }, { type: "string" }],
    ["examples", { examples: null }, {}],
    ...["arguments", "default", "enum", "example", "const", "output", "properties"].map(
      (name): [string, object, object] => [
        `a parameter named ${name}`,
        { properties: { [name]: { type: "string", enum: null, description: null } } },
        { properties: { [name]: { type: "string" } } },
      ],
    ),
    [
      "a definition named default",
      { $defs: { default: { title: null, default: null } } },
      { $defs: { default: { default: null } } },
    ],
    [
      "a schema of alternatives",
      { anyOf: [{ properties: { enum: { enum: [null], title: null } } }] },
      { anyOf: [{ properties: { enum: { enum: [null] } } }] },
    ],
  ])("has no null in %s", (_, sent, read) => {
    expect(mended(aTool(sent))).toEqual(aTool(read));
    const format = { response_format: { type: "json_schema", json_schema: { schema: sent } } };
    expect(mended(format)).toEqual({
      response_format: { type: "json_schema", json_schema: { schema: read } },
    });
  });

  it.each([
    aTool({ properties: { a: { default: { b: null }, const: null, example: [null] } } }),
    aTool({ properties: { default: { enum: ["a", null], examples: [null, { a: null }] } } }),
    { input: [{ type: "function_call", arguments: { a: null } }] },
    { input: [{ type: "function_call_output", output: { a: [{ b: null }] } }] },
    { messages: [{ tool_calls: [{ function: { arguments: { enum: null } } }] }] },
  ])("keeps null as a value: %j", (body) => {
    expect(mended(body)).toEqual(body);
  });

  it.each([
    [{ metadata: { default: null, enum: null, arguments: null } }, { metadata: {} }],
    [{ input: [{ arguments: null, output: null }] }, { input: [{}] }],
    [{ input: [{ output: [{ detail: null }] }] }, { input: [{ output: [{}] }] }],
  ])("has none where no schema is: %j", (sent, read) => {
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
    expect(mendedForm({ include: [""], granularities: ["", "word"] })).toEqual({
      granularities: ["word"],
    });
  });
});

const said = (message: unknown): unknown => mendedChat({ messages: [message] });
const CALL = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };

describe("a history", () => {
  it.each([
    [
      {
        role: "assistant",
        content: null,
        function_call: { name: "f", arguments: "" },
      },
      { role: "assistant", tool_calls: [{ ...CALL, id: "f" }] },
    ],
    [
      { role: "user", name: "", content: [{ type: "input_text", text: "a" }] },
      { role: "user", content: [{ type: "text", text: "a" }] },
    ],
    [
      { role: "user", content: [{ type: "input_image", image_url: "https://a.example/b.png" }] },
      {
        role: "user",
        content: [{ type: "image_url", image_url: { url: "https://a.example/b.png" } }],
      },
    ],
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
      { role: "assistant", tool_calls: [{ id: "c", name: "f", arguments: { a: 1 } }] },
      {
        role: "assistant",
        tool_calls: [{ ...CALL, function: { name: "f", arguments: '{"a":1}' } }],
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
    [{ role: "assistant", content: [] }, { role: "assistant" }],
    [{ role: "assistant", content: [{ type: "thinking", thinking: "hm" }] }, { role: "assistant" }],
    [
      { role: "function", name: "f", content: "4" },
      { role: "tool", tool_call_id: "f", content: "4" },
    ],
    ...[null, undefined, []].map((content): [object, object] => [
      { role: "tool", tool_call_id: "c", content },
      { role: "tool", tool_call_id: "c", content: "" },
    ]),
    [
      { role: "tool", tool_call_id: "c", content: { a: 1, b: null } },
      { role: "tool", tool_call_id: "c", content: '{"a":1,"b":null}' },
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

const written = (given: unknown) => ({
  tools: [{ type: "function", function: { name: "f", parameters: given } }],
});

describe("a tool", () => {
  const parameters = { type: "object", properties: { id: { type: "integer" } } };
  const nested = { type: "function", function: { name: "f", parameters } };
  const flat = { type: "function", name: "f", parameters };

  it.each([nested, flat, { function: nested.function }, { name: "f", parameters }])(
    "comes as %j, on either surface",
    (tool) => {
      expect(mendedChat({ tools: [tool] })).toEqual({ tools: [nested] });
      expect(mendedResponse({ tools: [tool] })).toEqual({ tools: [flat] });
    },
  );

  it("may be chosen in either form", () => {
    const [inChat, inResponse] = [
      { type: "function", function: { name: "f" } },
      { type: "function", name: "f" },
    ];
    for (const tool_choice of [inChat, inResponse]) {
      expect(mendedChat({ tools: [nested], tool_choice })).toMatchObject({ tool_choice: inChat });
      expect(mendedResponse({ tools: [flat], tool_choice })).toMatchObject({
        tool_choice: inResponse,
      });
    }
  });

  it("has an object without fields as PHP writes it", () => {
    expect(mendedChat(written([]))).toEqual(written({}));
    expect(mendedChat(written({ type: "object", properties: [] }))).toEqual(
      written({ type: "object", properties: {} }),
    );
  });

  it("of another kind stays as it is", () => {
    const tools = [{ type: "custom", custom: { name: "x" } }, { type: "web_search" }];
    expect(mendedChat({ tools })).toEqual({ tools });
    expect(mendedResponse({ tools })).toEqual({ tools });
  });
});

describe("an effort of reasoning", () => {
  it("may lie in an object", () => {
    const reasoning = { effort: "high" };
    expect(mendedChat({ reasoning })).toEqual({ reasoning, reasoning_effort: "high" });
    expect(mendedChat({ reasoning, reasoning_effort: "low" })).toMatchObject({
      reasoning_effort: "low",
    });
  });
});

describe("a body of the Responses API", () => {
  const schema = { type: "object" };

  it.each([
    { type: "json_schema", schema },
    { type: "json_schema", json_schema: { name: "answer", schema } },
  ])("may have the schema of its answer as %j", (format) => {
    expect(mendedResponse({ text: { format } })).toEqual({
      text: { format: { type: "json_schema", name: "answer", schema } },
    });
  });

  it("may have an assistant that said nothing", () => {
    expect(mendedResponse({ input: [{ role: "assistant", content: [] }] })).toEqual({
      input: [{ type: "message", role: "assistant", content: "" }],
    });
  });
});

describe("a history of the Responses API", () => {
  const silent = { type: "message", role: "assistant", content: "" };
  const called = { type: "function_call", call_id: "c", name: "f", arguments: "{}" };
  const answer = { type: "function_call_output", call_id: "c" };
  const text = { type: "text", text: "a" };

  it.each<[string, object, readonly unknown[]]>([
    [
      "an assistant that thought",
      { role: "assistant", content: [{ type: "thinking", thinking: "hm" }, text] },
      [{ ...silent, content: [{ type: "output_text", text: "a" }] }],
    ],
    [
      "an assistant that only thought",
      { role: "assistant", content: [{ type: "redacted_thinking", data: "x" }] },
      [silent],
    ],
    ["an assistant without content", { role: "assistant", content: null }, [silent]],
    [
      "an assistant that refused",
      { role: "assistant", content: null, refusal: "No." },
      [{ ...silent, refusal: "No.", content: [{ type: "refusal", refusal: "No." }] }],
    ],
    ["calls of a chat", { role: "assistant", content: null, tool_calls: [CALL] }, [called]],
    [
      "calls of a chat with arguments as an object",
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "c", function: { name: "f", arguments: { a: null } } }],
      },
      [{ ...called, arguments: '{"a":null}' }],
    ],
    [
      "calls of a chat beside words",
      { role: "assistant", content: "a", tool_calls: [CALL, { ...CALL, id: "d" }] },
      [{ ...silent, content: "a" }, called, { ...called, call_id: "d" }],
    ],
    [
      "an empty list of calls",
      { role: "assistant", content: "a", tool_calls: [] },
      [{ ...silent, content: "a" }],
    ],
    [
      "the one call of an older chat",
      { role: "assistant", content: null, function_call: { name: "c", arguments: "{}" } },
      [{ ...called, name: "c" }],
    ],
    [
      "the answer to a call of a chat",
      { role: "tool", tool_call_id: "c", content: "4" },
      [{ ...answer, output: "4" }],
    ],
    [
      "the parts of such an answer",
      { role: "tool", tool_call_id: "c", content: [text] },
      [{ ...answer, output: [{ type: "input_text", text: "a" }] }],
    ],
    [
      "the answer of an older chat",
      { role: "function", name: "c", content: "4" },
      [{ ...answer, output: "4" }],
    ],
    [
      "an output as an object",
      { ...answer, output: { a: 1, b: null } },
      [{ ...answer, output: '{"a":1,"b":null}' }],
    ],
    ["an output that is null", { ...answer, output: null }, [{ ...answer, output: "" }]],
    ["an output without parts", { ...answer, output: [] }, [{ ...answer, output: "" }]],
  ])("may have %s", (_, item, items) => {
    expect(mendedResponse({ input: [item] })).toEqual({ input: items });
  });

  it.each([
    { role: "user", content: [] },
    { role: "user", content: [{ type: "thinking", thinking: "hm" }] },
    { ...answer, output: [{ a: 1 }] },
  ])("keeps what is wrong, for the check of its form: %j", (item) => {
    expect(mendedResponse({ input: [item] })).toEqual({ input: [{ type: "message", ...item }] });
  });
});

describe("a long whole number", () => {
  const long = "9223372036854775807";

  it.each([
    `{"tools":[{"type":"function","function":{"name":"f","parameters":{"maximum":${long}}}}]}`,
    `{"tools":[{"type":"function","function":{"name":"f","parameters":{"enum":[-${long}]}}}]}`,
  ])("is kept in a tool: %s", (sent) => {
    expect(JSON.stringify(mendedChat(parseExactly(sent)))).toBe(sent);
  });

  it("is kept in arguments that come as an object", () => {
    const sent = `{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{"id":${long}}}}]}`;
    expect(JSON.stringify(said(parseExactly(sent)))).toContain(`{\\"id\\":${long}}`);
    const item = `{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":{"id":${long}}}]}`;
    expect(mendedResponse(parseExactly(item))).toMatchObject({
      input: [{ arguments: `{"id":${long}}` }],
    });
  });

  it("is a number everywhere else", () => {
    expect(parseExactly(`{"seed":${long},"n":[${long}]}`)).toEqual({
      seed: Number(long),
      n: [Number(long)],
    });
    expect(() => parseExactly("{")).toThrow(SyntaxError);
  });
});

describe("the parts of a moderation", () => {
  it("may be plain strings, and pictures named by a string", () => {
    const url = "https://example.com/a.png";
    expect(mendedModeration({ input: ["a", { type: "image_url", image_url: url }] })).toEqual({
      input: [
        { type: "text", text: "a" },
        { type: "image_url", image_url: { url } },
      ],
    });
    expect(mendedModeration({ input: ["a", "b"] })).toEqual({ input: ["a", "b"] });
  });
});
