import { toJsonSchema } from "@valibot/to-json-schema";
import type { Schema } from "./route.ts";
import { FILE } from "./upload.ts";

// valibot schemas as the JSON Schema 2020-12 that OpenAPI 3.1 embeds.

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * Checks that JSON Schema cannot express (`v.check`) are left out rather than refused: the descriptions
 * say what they require.
 */
export function jsonSchema(schema: Schema, typeMode: "input" | "output"): JsonObject {
  const { $schema: _dialect, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    errorMode: "ignore",
    typeMode,
    overrideSchema: ({ valibotSchema }) =>
      valibotSchema === FILE ? { type: "string", format: "binary" } : null,
  });
  // A round trip drops undefined values and makes it plain JSON, which its type does not promise.
  const plain: JsonObject = JSON.parse(JSON.stringify(rest));
  return plain;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One OpenAPI parameter for each field of an object schema. */
export function fieldParameters(schema: Schema | undefined, place: "path" | "query"): JsonObject[] {
  if (schema === undefined) return [];
  const { properties, required } = jsonSchema(schema, "input");
  if (!isObject(properties)) return [];
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: place === "path" || names.includes(name),
    ...(isObject(field) && field["description"] !== undefined
      ? { description: field["description"] }
      : {}),
    schema: field,
  }));
}
