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
import { estimateInputTokens, tokensAtMost } from "../../../src/domain/token-bound.ts";
import { extract } from "../../../src/engines/embedded/extract.ts";
import { answerInSchema } from "../../../src/engines/embedded/schema-answer.ts";
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
    expect(fill(schema)).toEqual(value);
  });

  it.each<[object]>([
    [{}],
    [{ $ref: "#" }],
    [{ anyOf: [{ type: "string" }] }],
    [{ type: "string", pattern: "^x$" }],
    [{ type: "string", minLength: 500 }],
    [{ type: "integer", minimum: 43 }],
    [{ type: "array", items: { type: "string" }, minItems: 2 }],
    [{ type: "object", properties: {}, required: ["a"] }],
  ])("does not pretend to fill %j", (schema) => {
    expect(fill(schema)).toBeUndefined();
  });

  it("gives a schema up that is too deep or too wide", () => {
    let deep: object = { type: "string" };
    for (let depth = 0; depth < 30; depth += 1) deep = { type: "object", properties: { a: deep } };
    expect(fill(deep)).toBeUndefined();
    const many = Array.from({ length: 300 }, (_, at) => [`p${at}`, { type: "string" }]);
    expect(fill({ type: "object", properties: Object.fromEntries(many) })).toBeUndefined();
  });
});
