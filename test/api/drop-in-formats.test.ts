import { describe, expect, it } from "vitest";
import { chatFormRefused, mendedFormat } from "../../src/api/drop-in-body.ts";
import { formOfResponseRefused, mendedResponse } from "../../src/api/responses/mended-body.ts";

const schema = { type: "object", properties: { city: { type: "string" } } };
const wanted = { type: "json_schema", json_schema: { name: "answer", schema } };

describe("a schema for the answer", () => {
  it.each<[string, object]>([
    ["guided_json", { guided_json: schema }],
    ["guided_json as a text", { guided_json: JSON.stringify(schema) }],
    ["structured_outputs", { structured_outputs: { json: schema } }],
    ["llama.cpp's json_schema", { json_schema: schema }],
    ["Ollama's format", { format: schema }],
    ["a schema beside json_object", { response_format: { type: "json_object", schema } }],
    [
      "a bare one beside json_object",
      { response_format: { type: "json_object", json_schema: schema } },
    ],
    [
      "OpenAI's beside json_object",
      { response_format: { type: "json_object", json_schema: { name: "answer", schema } } },
    ],
    [
      "the flat form of responses",
      { response_format: { type: "json_schema", name: "answer", schema } },
    ],
    ["a bare schema", { response_format: { type: "json_schema", json_schema: schema } }],
    [
      "a schema without a name",
      { response_format: { type: "json_schema", json_schema: { schema } } },
    ],
    [
      "a schema beside its name",
      { response_format: { type: "json_object", json_schema: { name: "answer" }, schema } },
    ],
    ["the text of a response", { text: { format: { type: "json_schema", schema } } }],
  ])("comes as %s", (_, body) => {
    expect(mendedFormat({ model: "m", ...body })).toEqual({ model: "m", response_format: wanted });
  });

  it("may have no type of its own", () => {
    const bare = { required: ["city"], additionalProperties: false };
    const response_format = { type: "json_object", json_schema: bare };
    expect(mendedFormat({ response_format })).toEqual({
      response_format: { type: "json_schema", json_schema: { name: "answer", schema: bare } },
    });
  });

  it.each([
    { type: "json_object", schema },
    { type: "json_object", json_schema: schema },
    { type: "json_object", json_schema: { name: "answer", schema } },
    { type: "json_schema", json_schema: schema },
  ])("comes so in a response: %j", (format) => {
    expect(mendedResponse({ text: { format } })).toEqual({
      text: { format: { type: "json_schema", name: "answer", schema } },
    });
  });

  it.each<[object]>([
    [{ response_format: wanted }],
    [{ response_format: { type: "json_object" } }],
    [{ response_format: { type: "json_object", json_schema: {} } }],
    [{ response_format: { type: "json_schema" } }],
    [{ response_format: { type: "text" } }],
    [
      {
        response_format: { type: "json_schema", json_schema: { name: "a", schema, strict: true } },
      },
    ],
    [{}],
  ])("stays as it is in %j", (body) => {
    expect(mendedFormat(body)).toEqual(body);
  });
});

describe("a form that cannot be honoured", () => {
  it.each([
    { guided_regex: "a+" },
    { guided_choice: ["a", "b"] },
    { grammar: "root ::= x" },
    { structured_outputs: { choice: ["a"] } },
    { structured_outputs: { json: schema, regex: "a" } },
    { guided_json: schema, response_format: { type: "json_object" } },
    { format: schema, response_format: { type: "json_object" } },
    { format: "xml" },
    { text: { format: { type: "text" } }, response_format: wanted },
  ])("is refused by name: %j", (body) => {
    expect(chatFormRefused(mendedFormat(body))?.path[0]).toBe(Object.keys(body)[0]);
  });

  const twice = { type: "json_schema", json_schema: { name: "a", schema }, schema };

  it.each<[object, string]>([
    [twice, "schema"],
    [{ type: "text", schema }, "schema"],
    [{ type: "text", json_schema: wanted.json_schema }, "json_schema"],
  ])("is a schema that would be dropped, in a chat: %j", (response_format, name) => {
    expect(chatFormRefused(mendedFormat({ response_format }))?.path).toEqual([
      "response_format",
      name,
    ]);
  });

  it.each<[object, string]>([
    [twice, "json_schema"],
    [{ type: "text", schema }, "schema"],
    [{ type: "text", json_schema: wanted.json_schema }, "json_schema"],
  ])("is a schema that would be dropped, in a response: %j", (format, name) => {
    const body = mendedResponse({ text: { format } });
    expect(formOfResponseRefused(body)?.path).toEqual(["text", "format", name]);
  });

  it.each([{ format: schema }, { format: "json" }, { guided_json: schema }])(
    "is a field that a response does not have: %j",
    (body) => {
      expect(formOfResponseRefused(mendedResponse(body))?.path).toEqual(Object.keys(body));
    },
  );

  it.each([
    {},
    { guided_json: schema },
    { format: "json" },
    { response_format: wanted },
    { response_format: { type: "json_object", json_schema: {} } },
    { response_format: { type: "text" } },
  ])("is none: %j", (body) => {
    expect(chatFormRefused(mendedFormat(body))).toBeNull();
  });

  it.each([
    { type: "json_object", json_schema: {} },
    { type: "json_schema", name: "answer", schema },
    { type: "text" },
  ])("is none in a response: %j", (format) => {
    expect(formOfResponseRefused(mendedResponse({ text: { format } }))).toBeNull();
  });
});
