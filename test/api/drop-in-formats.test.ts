import { describe, expect, it } from "vitest";
import { mendedFormat } from "../../src/api/drop-in-body.ts";

const schema = { type: "object", properties: { city: { type: "string" } } };
const wanted = { type: "json_schema", json_schema: { name: "answer", schema } };

describe("a schema for the answer", () => {
  it.each<[string, object]>([
    ["guided_json", { guided_json: schema }],
    ["guided_json as a text", { guided_json: JSON.stringify(schema) }],
    ["a schema beside json_object", { response_format: { type: "json_object", schema } }],
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
