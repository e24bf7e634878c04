import { describe, expect, it } from "vitest";
import * as v from "valibot";
import { ChatInput } from "../../src/api/workers-ai/chat.ts";
import { ImageInput } from "../../src/api/workers-ai/images.ts";
import { descriptionInput, PictureInput } from "../../src/api/workers-ai/pictures.ts";
import { speechInput, TranscriptionInput } from "../../src/api/workers-ai/sound.ts";
import {
  ClassificationInput,
  EmbeddingsInput,
  RerankingInput,
  translationInput,
} from "../../src/api/workers-ai/text.ts";
import { CATALOGUE } from "../../src/domain/catalogue/catalogue.ts";
import { fieldErrors } from "../../src/http/field-errors.ts";
import { exactNumber } from "../../src/io/exact-json.ts";
import { ROUTES } from "../../src/routes/routes.ts";

// Of every schema that reads a caller's body: each object in it takes objects alone.

const models = [...CATALOGUE.values()];

/** The route of Cloudflare's surface gets its body unread; these read it. */
const RUN: readonly (readonly [string, v.GenericSchema])[] = [
  ["chat", ChatInput],
  ["images", ImageInput],
  ["pictures", PictureInput],
  ["transcription", TranscriptionInput],
  ["classification", ClassificationInput],
  ["embeddings", EmbeddingsInput],
  ["reranking", RerankingInput],
  ...models.flatMap(({ id, task }): readonly (readonly [string, v.GenericSchema])[] => {
    if (task === "image_to_text") return [[id, descriptionInput(id)]];
    if (task === "text_to_speech") return [[id, speechInput(id)]];
    return task === "translation" ? [[id, translationInput(id)]] : [];
  }),
];

const BODIES = [
  ...ROUTES.flatMap(({ method, path, body }) =>
    body === undefined || body.as === "unread" ? [] : [[`${method} ${path}`, body.schema] as const],
  ),
  ...RUN.map(([name, schema]) => [`run ${name}`, schema] as const),
];

const OBJECTS: ReadonlySet<string> = new Set([
  "object",
  "strict_object",
  "loose_object",
  "object_with_rest",
  "record",
]);

const isSchema = (value: unknown): value is v.GenericSchema =>
  typeof value === "object" && value !== null && Reflect.get(value, "kind") === "schema";

/** The schemas of a schema's own parts: entries, items, options, what is wrapped, and a pipe's. */
function partsOf(schema: v.GenericSchema): [name: string, schema: v.GenericSchema][] {
  return Object.entries(schema).flatMap(([name, part]): [string, v.GenericSchema][] => {
    if (isSchema(part)) return [[name, part]];
    if (typeof part !== "object" || part === null) return [];
    return Object.entries(part).flatMap(([at, item]): [string, v.GenericSchema][] =>
      isSchema(item) && item !== schema ? [[Array.isArray(part) ? name : at, item]] : [],
    );
  });
}

function objectsOf(schema: v.GenericSchema, path: string): [path: string, v.GenericSchema][] {
  const own: [string, v.GenericSchema][] = OBJECTS.has(schema.type) ? [[path, schema]] : [];
  return [...own, ...partsOf(schema).flatMap(([name, part]) => objectsOf(part, `${path}/${name}`))];
}

const objects = BODIES.flatMap(([name, schema]) => objectsOf(schema, name));

const errorsOf = (schema: v.GenericSchema, value: unknown) =>
  fieldErrors(v.safeParse(schema, value).issues ?? []);

const MUST_BE = [{ path: [], detail: "must be an object" }];

describe("the objects of bodies", () => {
  it("are found", () => {
    expect(objects.length).toBeGreaterThan(200);
    expect(objects.map(([path]) => path)).toContain("POST /v1/verdicts/metadata/wrapped");
  });

  it.each([
    ["a list", ["a"]],
    ["bytes", new Uint8Array(2)],
    ["a number of many digits", exactNumber("12345678901234567890")],
    ["a text", "a"],
  ])("do not take %s", (_, value) => {
    const wrong = objects.filter(
      ([, schema]) => JSON.stringify(errorsOf(schema, value)) !== JSON.stringify(MUST_BE),
    );
    expect(wrong.map(([path]) => path)).toEqual([]);
  });
});

const fieldOf = (of: string, field: string): v.GenericSchema | undefined =>
  BODIES.filter(([name]) => name === of)
    .flatMap(([, schema]) => partsOf(schema))
    .find(([name]) => name === field)?.[1];

const asked = (parameters: unknown) => ({ prompt: "a", tools: [{ name: "a", parameters }] });

describe("an empty list for an object without fields", () => {
  const CHAT = "POST /v1/chat/completions";
  const RESPONSE = "POST /v1/responses";
  it.each([
    [CHAT, "stream_options"],
    [CHAT, "neurogate"],
    ["POST /v1/completions", "stream_options"],
    ["POST /v1/moderations", "neurogate"],
    [RESPONSE, "metadata"],
    [RESPONSE, "neurogate"],
    [RESPONSE, "reasoning"],
    [RESPONSE, "text"],
  ])("is taken by %s: %s", (of, field) => {
    const schema = fieldOf(of, field) ?? v.never();
    expect(v.safeParse(schema, [])).toMatchObject({ success: true, output: {} });
    expect(Array.isArray(v.safeParse(schema, []).output)).toBe(false);
    expect(errorsOf(schema, ["a"])).toEqual(MUST_BE);
  });

  it("is taken for the parameters of a tool", () => {
    expect(v.parse(ChatInput, asked([])).tools).toEqual([{ name: "a", parameters: {} }]);
    expect(v.is(ChatInput, asked(["a"]))).toBe(false);
  });

  it.each(["POST /v1/verdicts", "POST /v1/sessions"])("is refused by %s: metadata", (of) => {
    expect(errorsOf(fieldOf(of, "metadata") ?? v.never(), [])).toEqual(MUST_BE);
  });
});
