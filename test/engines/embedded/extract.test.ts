import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  property,
  record,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateInputTokens, tokensAtMost } from "../../../src/domain/generation/token-bound.ts";
import { extract } from "../../../src/engines/embedded/extract.ts";
import { hashedVector } from "../../../src/engines/embedded/embedding.ts";
import { answerInSchema } from "../../../src/engines/embedded/schema-answer.ts";
import { sentencesIn } from "../../../src/engines/embedded/sentences.ts";
import type { ChatMessage } from "../../../src/engines/inference.ts";

const MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";

function answer(messages: readonly ChatMessage[], maxTokens = 1000, parameters = {}) {
  const made = extract({ model: MODEL, messages, maxTokens, parameters });
  if (made.kind !== "extracted") throw new Error("it answers text");
  return made.output;
}

const user = (content: string): ChatMessage => ({ role: "user", content });

const PROMPT =
  "Lena keeps bees on the roof of the library. The honey is sold at the market on Saturdays. " +
  "Her brother repairs clocks. The market opens at seven.";

describe("extract", () => {
  it.each([
    ["Who repairs clocks?", "Her brother repairs clocks."],
    ["Where does Lena keep bees?", "Lena keeps bees on the roof of the library."],
    [
      "When is the honey sold at the market?",
      "The honey is sold at the market on Saturdays. The market opens at seven.",
    ],
  ])("answers %s from what the prompt says, in its order", (question, said) => {
    expect(answer([user(`${PROMPT} ${question}`)]).content).toBe(said);
    expect(answer([{ role: "system", content: PROMPT }, user(question)]).content).toBe(said);
    const tool: ChatMessage = { role: "tool", content: PROMPT, tool_call_id: "call_1" };
    expect(answer([user(question), tool]).content).toBe(said);
  });

  it("quotes the beginning where nothing is asked that it finds, and the text where it is all", () => {
    expect(answer([user(`${PROMPT} Why?`)]).content).toMatch(/^Lena keeps bees .* Her brother/);
    expect(answer([user("Hello!")]).content).toBe("Hello!");
    expect(answer([user("?!")]).content).toBe("There is nothing in the prompt that I could quote.");
  });

  it("is the same each time, made of the prompt, and never longer than it was allowed", () => {
    const message = record({
      role: constantFrom<"user" | "system" | "assistant">("user", "system", "assistant"),
      content: array(string({ unit: "grapheme", maxLength: 30 }), { maxLength: 8 }).map((parts) =>
        parts.join(". "),
      ),
    });
    assert(
      property(
        array(message, { minLength: 1, maxLength: 4 }),
        integer({ min: 1, max: 80 }),
        boolean(),
        (messages, maxTokens, json) => {
          const parameters = json ? { response_format: { type: "json_object" } } : {};
          const output = answer(messages, maxTokens, parameters);
          expect(answer(messages, maxTokens, parameters)).toEqual(output);
          const written = output.content ?? "";
          // As the charge counts it.
          expect(estimateInputTokens(tokensAtMost(written))).toBeLessThanOrEqual(maxTokens);
          const whole = answer(messages, 1_000_000, parameters).content ?? "";
          expect(whole.startsWith(written)).toBe(true);
          expect(output.finishReason).toBe(written === whole ? "stop" : "length");
        },
      ),
      { numRuns: 400, seed: 7 },
    );
  });

  it("reads two megabytes in seconds at most", () => {
    const startedMs = performance.now();
    const long = "The quick brown fox jumps over the lazy dog. ".repeat(46_000);
    expect(answer([user(`${long} Who jumps?`)]).content).toContain("fox jumps");
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

const pair = (child: object) => ({
  type: "object",
  properties: { value: { type: "integer" }, left: child, right: child },
  required: ["value", "left", "right"],
});

describe("answerInSchema", () => {
  const said = { sentences: ["The pump runs at 42 bar.", "It is painted green."] };
  const fill = (schema: object) => answerInSchema(schema, said);

  it.each<[object, unknown]>([
    [{ type: "string" }, "The pump runs at 42 bar."],
    [{ type: "string", maxLength: 8 }, "The pump"],
    [{ type: "integer" }, 42],
    [{ type: "number", maximum: 10 }, 0],
    [{ type: ["null", "integer"] }, 42],
    [{ enum: ["red", "green"] }, "green"],
    [{ enum: ["x", "y"] }, "x"],
    [{ const: 7 }, 7],
    [{ type: "array", items: { type: "integer" } }, [42]],
    [
      { properties: { a: { type: "string" }, b: { properties: { c: { type: "string" } } } } },
      { a: "The pump runs at 42 bar.", b: { c: "It is painted green." } },
    ],
  ])("fills %j", (schema, value) => {
    expect(fill(schema)).toEqual({ kind: "filled", value });
  });

  const node = {
    type: "object",
    properties: {
      name: { type: "string" },
      children: { type: "array", items: { $ref: "#/$defs/Node" } },
    },
    required: ["name", "children"],
  };

  // As Pydantic and Zod write models.
  it.each<[object, unknown]>([
    [{}, "The pump runs at 42 bar."],
    [
      { $ref: "#/$defs/Color", $defs: { Color: { enum: ["red", "green"], type: "string" } } },
      "green",
    ],
    [
      {
        type: "object",
        properties: {
          owner: { $ref: "#/$defs/Owner", description: "Whose it is" },
          note: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
          size: { anyOf: [{ type: "null" }, { type: "integer" }] },
          when: { anyOf: [{ type: "string", format: "date" }, { type: "null" }] },
          color: { allOf: [{ $ref: "#/$defs/Color" }] },
        },
        required: ["owner", "note", "size", "when", "color"],
        $defs: {
          Owner: {
            type: "object",
            properties: { name: { type: "string" }, age: { type: "integer", exclusiveMinimum: 0 } },
            required: ["name", "age"],
          },
          Color: { enum: ["red", "green"] },
        },
      },
      {
        owner: { name: "The pump runs at 42 bar.", age: 42 },
        note: "It is painted green.",
        size: 42,
        when: null,
        color: "green",
      },
    ],
    [{ type: "array", items: { type: "string" }, minItems: 2 }, said.sentences],
    [{ type: "array", prefixItems: [{ type: "integer" }, { type: "boolean" }] }, [42, false]],
    [{ type: "object", additionalProperties: { type: "integer" } }, {}],
    [{ type: "number", exclusiveMinimum: 50 }, 51],
    [{ type: "integer", multipleOf: 5, minimum: 5 }, 5],
    [{ oneOf: [{ type: "string", pattern: "^x$" }, { type: "integer" }] }, 42],
    [{ allOf: [{ properties: { a: { type: "integer" } } }, { required: ["a"] }] }, { a: 42 }],
    [{ allOf: [...Array.from({ length: 40 }, () => ({ title: "x" })), { type: "integer" }] }, 42],
    [{ type: "object", properties: { a: { type: "string", pattern: "x" } } }, {}],
  ])("fills the model %j", (schema, value) => {
    expect(fill(schema)).toEqual({ kind: "filled", value });
  });

  it("ends a tree somewhere", () => {
    const filled = fill({ $ref: "#/$defs/Node", $defs: { Node: node } });
    expect(filled).toMatchObject({ kind: "filled", value: { children: [{ children: [] }] } });
  });

  const ref = { $ref: "#/$defs/N" };
  const orNull = { anyOf: [ref, { type: "null" }] };
  const leaf = { value: 42, left: null, right: null };

  it.each<[string, object, unknown]>([
    ["two children or null", { ...ref, $defs: { N: pair(orNull) } }, leaf],
    [
      "null before its children",
      { ...ref, $defs: { N: pair({ oneOf: orNull.anyOf.toReversed() }) } },
      leaf,
    ],
    [
      "the model at its root",
      { ...pair(orNull), $defs: { N: pair(orNull) } },
      { value: 42, left: leaf, right: leaf },
    ],
    ["a reference to its root", pair({ anyOf: [{ $ref: "#" }, { type: "null" }] }), leaf],
    [
      "references in allOf",
      { ...ref, $defs: { N: pair({ anyOf: [{ allOf: [ref] }, { type: "null" }] }) } },
      leaf,
    ],
    [
      "children that may be absent",
      { ...ref, $defs: { N: { ...pair(ref), required: ["value"] } } },
      { value: 42 },
    ],
    [
      "another alternative",
      { ...ref, $defs: { N: pair({ anyOf: [ref, { type: "boolean" }] }) } },
      { value: 42, left: false, right: false },
    ],
    [
      "two lists of itself",
      { ...ref, $defs: { N: pair({ type: "array", items: ref }) } },
      {
        value: 42,
        left: [{ value: 42, left: [], right: [] }],
        right: [{ value: 42, left: [], right: [] }],
      },
    ],
    [
      "children within other objects",
      {
        ...ref,
        $defs: {
          N: pair({ anyOf: [{ properties: { n: ref }, required: ["n"] }, { type: "null" }] }),
        },
      },
      { value: 42, left: { n: leaf }, right: { n: leaf } },
    ],
  ])("ends a tree with %s", (_, schema, value) => {
    expect(fill(schema)).toEqual({ kind: "filled", value });
  });

  it("fills a model again where it is not within itself", () => {
    const N = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
    const schema = { type: "object", properties: { x: orNull, y: orNull }, $defs: { N } };
    expect(fill(schema)).toEqual({ kind: "filled", value: { x: { a: 42 }, y: { a: 42 } } });
  });

  const day = { type: "string", format: "date" };

  it("has an example of a format that is required and was not said", () => {
    const formats = ["date", "date-time", "time", "uuid", "email", "uri"];
    const properties = Object.fromEntries(
      formats.map((format) => [format, { type: "string", format }]),
    );
    const made = fill({ type: "object", properties, required: formats });
    expect(made.kind).toBe("filled");
    const { value } = made as { value: Record<string, string> };
    expect(Object.keys(value)).toEqual(formats);
    expect(new Date(value["date-time"] ?? "").toISOString()).toContain(value["date"]);
    expect(value["time"]).toMatch(/^\d\d:\d\d:\d\dZ$/);
    expect(value["uuid"]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(value["email"]).toMatch(/^\w+@example\.com$/);
    expect(new URL(value["uri"] ?? "").hostname).toBe("example.com");
  });

  it.each<[object, unknown]>([
    [{ type: "object", properties: { a: day } }, {}],
    [
      { type: "object", properties: { a: { anyOf: [day, { type: "null" }] } }, required: ["a"] },
      { a: null },
    ],
    [{ anyOf: [day, { type: "integer" }] }, 42],
    [{ type: "array", items: day }, []],
    [{ type: "array", items: day, minItems: 1 }, ["2026-01-01"]],
    [{ anyOf: [{ type: "string", pattern: "x" }, day] }, "2026-01-01"],
  ])("has no example of a format where it can do without: %j", (schema, value) => {
    expect(fill(schema)).toEqual({ kind: "filled", value });
  });

  const colors = { enum: ["red", "blue", "green", "red"] };
  const unique = { type: "array", uniqueItems: true };

  it.each<[object, unknown]>([
    [{ ...unique, minItems: 2, items: colors }, ["green", "red"]],
    [
      { ...unique, minItems: 3, items: { $ref: "#/$defs/C" }, $defs: { C: colors } },
      ["green", "red", "blue"],
    ],
    [{ ...unique, items: colors }, ["green"]],
    [{ ...unique, minItems: 2, maxItems: 2, items: { enum: [1, 2, 3] } }, [1, 2]],
    [{ type: "array", minItems: 2, items: colors }, ["green", "green"]],
  ])("takes each option once in %j", (schema, value) => {
    expect(fill(schema)).toEqual({ kind: "filled", value });
  });

  it("quotes in a field `quote` what the field before it says", () => {
    const text = { type: "string", maxLength: 100 };
    const items = { type: "object", properties: { text, quote: text }, required: ["text"] };
    const statements = { type: "array", minItems: 2, items };
    const schema = { type: "object", properties: { statements }, required: ["statements"] };
    const sentences = ["The honey is sold.", "Her brother repairs clocks."];
    const quoted = sentences.map((one) => ({ text: one, quote: one }));
    const value = { statements: quoted };
    expect(answerInSchema(schema, { sentences })).toEqual({ kind: "filled", value });
  });

  it("takes what was said in a format", () => {
    const text = "Write to ana@example.com or see https://example.com/a by 2026-11-20.";
    const formats = ["email", "uri", "date"].map((format) => [format, { type: "string", format }]);
    const schema = { type: "object", properties: Object.fromEntries(formats), required: ["email"] };
    expect(answerInSchema(schema, { sentences: [text] })).toEqual({
      kind: "filled",
      value: { email: "ana@example.com", uri: "https://example.com/a", date: "2026-11-20" },
    });
  });

  it.each<[object, string, string]>([
    [{ $ref: "#/$defs/None" }, "$ref", "#"],
    [{ $ref: "https://example.com/schema" }, "$ref", "#"],
    [{ $ref: "#" }, "$ref", "#"],
    [{ type: "string", pattern: "^x$" }, "pattern", "#"],
    [{ type: "string", format: "duration" }, "format", "#"],
    [
      { type: "array", uniqueItems: true, minItems: 3, items: { enum: [1, 2] } },
      "uniqueItems",
      "#",
    ],
    [{ type: "string", minLength: 500 }, "minLength", "#"],
    [{ type: "integer", minimum: 43.2, maximum: 43.8 }, "minimum", "#"],
    [{ type: "object", properties: {}, required: ["a"] }, "required", "#"],
    [
      {
        type: "object",
        properties: {
          list: { type: "array", minItems: 1, items: { type: "string", pattern: "x" } },
        },
        required: ["list"],
      },
      "pattern",
      "#/properties/list/items",
    ],
    [
      { properties: { "my secret": { type: "string", not: {} } }, required: ["my secret"] },
      "not",
      "#/properties/*",
    ],
    [{ anyOf: [{ type: "string", pattern: "x" }] }, "pattern", "#/anyOf/0"],
  ])("does not pretend to fill %j, and says why", (schema, keyword, place) => {
    expect(fill(schema)).toEqual({ kind: "unfillable", keyword, place });
  });

  it("gives a schema up that is too deep or too wide", () => {
    let deep: object = { type: "string" };
    for (let depth = 0; depth < 30; depth += 1) deep = { properties: { a: deep }, required: ["a"] };
    expect(fill(deep)).toMatchObject({ kind: "unfillable", keyword: "so many levels" });
    const many = Array.from({ length: 300 }, (_, at) => [`p${at}`, { type: "string" }]);
    const wide = { type: "object", properties: Object.fromEntries(many) };
    expect(fill(wide)).toMatchObject({ kind: "unfillable", keyword: "so many fields" });
  });
});

const filled = (schema: object, sentences: readonly string[]) => {
  const made = answerInSchema(schema, { sentences });
  return JSON.stringify(made.kind === "filled" ? made.value : null);
};
const fields = (schema: object, count = 200) => ({
  type: "object",
  properties: Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, schema])),
});
const often = (name: string) => Array.from({ length: 1000 }, () => ({ $ref: `#/$defs/${name}` }));

const both = (at: number) => [{ $ref: `#/$defs/a${at}` }, { $ref: `#/$defs/a${at}` }];

describe("what is long to read", () => {
  it("is not quoted whole in every field of a schema", () => {
    const json = filled(fields({ type: "string" }), ["a".repeat(1_000_000)]);
    expect(json.length).toBeLessThan(200 * 1020);
  });

  it("is read once of a schema that refers to itself from everywhere", () => {
    const part = Array.from({ length: 20_000 }, (_, at) => [`p${at}`, { $ref: "#/$defs/Part" }]);
    const Part = { type: "object", properties: Object.fromEntries(part) };
    const startedMs = performance.now();
    expect(
      answerInSchema(
        { allOf: [{ $ref: "#/$defs/Part", title: "x" }], $defs: { Part } },
        { sentences: ["a"] },
      ),
    ).toMatchObject({ keyword: "so many fields" });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it("is merged once of parts that are made of each other", () => {
    const LEVELS = 30;
    const $defs: Record<string, object> = {
      [`a${LEVELS}`]: { properties: { n: { type: "integer" } }, required: ["n"] },
    };
    for (let at = 0; at < LEVELS; at += 1) $defs[`a${at}`] = { allOf: both(at + 1) };
    const startedMs = performance.now();
    expect(filled({ allOf: both(0), $defs }, ["It is 42."])).toBe('{"n":42}');
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  const B = { type: "object", required: Array.from({ length: 20_000 }, () => "a") };
  const properties = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`p${at}`, {}]));
  const defs = { B, C: { properties } };
  it.each<[string, object]>([
    ["parts that require much", { allOf: often("B") }],
    ["parts with many properties", { allOf: often("C") }],
  ])("is not put together of %s", (_, schema) => {
    const startedMs = performance.now();
    expect(answerInSchema({ ...schema, $defs: defs }, { sentences: ["a"] })).toEqual({
      kind: "unfillable",
      keyword: "so many fields",
      place: "#",
    });
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it("is not put together of references with much beside them", () => {
    const beside = { ...properties, type: "string" };
    const links = Array.from({ length: 30 }, (_, at) => [
      `b${at}`,
      { ...beside, $ref: `#/$defs/b${at + 1}` },
    ]);
    const schema = { $ref: "#/$defs/b0", $defs: { ...Object.fromEntries(links), b30: {} } };
    expect(answerInSchema(schema, { sentences: ["a"] })).toMatchObject({
      keyword: "so many fields",
    });
  });

  it("is searched for so many options, and then no more", () => {
    const said = ["a".repeat(400_000), "the last one"];
    const options = Array.from({ length: 100_000 }, (_, at) => `none${at}`);
    expect(filled({ enum: ["x", "The Last"] }, said)).toBe('"The Last"');
    expect(filled({ enum: [...options, "The Last"] }, said)).toBe('"none0"');
    // 25 searches of 400,000 characters are what there is for one answer.
    const many = JSON.parse(filled(fields({ enum: ["x", "The Last"] }), said));
    expect(Object.values(many).filter((value) => value === "The Last")).toHaveLength(12);
  });

  it("of a message is so many sentences, its lines of signs included", () => {
    expect(sentencesIn(`${"```\n".repeat(30_000)}Hello there.`)).toEqual([]);
    expect(sentencesIn("Hi. ".repeat(30_000))).toHaveLength(20_000);
    expect(sentencesIn(`${"a".repeat(10_000)}.`)[0]).toHaveLength(4000);
  });

  it("of a conversation is its end", () => {
    const old = user("The cat sleeps. ".repeat(40_000));
    const { content } = answer([user("Lena keeps bees."), old, user("Who keeps bees?")]);
    expect(content).toContain("The cat sleeps.");
    expect(content).not.toContain("Lena");
  });

  it("is cut at a word's end, or anywhere in a word that is longer than all", () => {
    expect(answer([user(`${"a".repeat(3000)} b`)], 20).content).toBe("a".repeat(40));
    expect(answer([user("aa bb cc dd")], 4).content).toBe("aa bb");
  });

  it("of a text to embed is its beginning", () => {
    const [long, longer] = ["word ".repeat(10_000), "word ".repeat(20_000)];
    expect(hashedVector(longer, 384)).toEqual(hashedVector(long, 384));
    // A letter that is eighteen is not eighteen times as long to read.
    const ligatures = "\ufdfa".repeat(40_000);
    expect(hashedVector(ligatures, 384)).toEqual(hashedVector(ligatures.slice(0, 33_000), 384));
  });
});
