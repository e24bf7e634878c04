import { describe, expect, it } from "vitest";
import { chatFormRefused, mendedFormat } from "../../src/api/drop-in-body.ts";

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
  ])("comes as %s", (_, body) => {
    expect(mendedFormat({ model: "m", ...body })).toEqual({ model: "m", response_format: wanted });
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
  ])("is refused by name: %j", (body) => {
    expect(chatFormRefused(mendedFormat(body))?.path).toEqual([Object.keys(body)[0]]);
  });

  it.each([{}, { guided_json: schema }, { format: "json" }, { response_format: wanted }])(
    "is none: %j",
    (body) => {
      expect(chatFormRefused(mendedFormat(body))).toBeNull();
    },
  );
});
