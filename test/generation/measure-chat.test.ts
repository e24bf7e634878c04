import {
  anything,
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  jsonValue,
  oneof,
  option,
  property,
  record,
  string,
  uint8Array,
} from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { CATALOGUE, type Model, priceOf } from "../../src/domain/catalogue/catalogue.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { planGeneration } from "../../src/domain/generation/plan-generation.ts";
import { chatInputBound } from "../../src/domain/generation/token-bound.ts";
import type { ChatMessage } from "../../src/engines/inference.ts";
import { measureChat } from "../../src/generation/measure-chat.ts";
import { chatMl, type JsonStyle, llama, mistral, worstTokens } from "./chat-templates.ts";

// What is held for a chat is never below what its model can read, however the caller writes.

const modelOf = (id: string): Model => {
  const model = CATALOGUE.get(id);
  if (model === undefined) throw new Error(`${id} is in the catalogue`);
  // What is held stops at the window; what is compared here does not.
  return { ...model, contextTokens: null };
};

const LLAMA = modelOf("@cf/meta/llama-3.1-8b-instruct-fp8");
const QWEN = modelOf("@cf/qwen/qwen3-30b-a3b-fp8");
const MISTRAL = modelOf("@cf/mistralai/mistral-small-3.1-24b-instruct");
const GEMMA = modelOf("@cf/google/gemma-4-26b-a4b-it");

/** U+FDFA is 18 characters in NFKC; the others grow, shrink, join or break in their own ways. */
const HOSTILE = [
  "\ufdfa",
  "\ufdfb",
  "ﬃ",
  "㌀",
  "가",
  "\u0344",
  "\ud800",
  "🦜",
  "\u0000",
  '"',
  "\\",
  "\n",
  "<",
  "'",
  "é",
];

const text = oneof(
  string({ unit: "binary", maxLength: 60 }),
  array(constantFrom(...HOSTILE), { maxLength: 40 }).map((parts) => parts.join("")),
  uint8Array({ maxLength: 80 }).map((noise) => new TextDecoder("latin1").decode(noise)),
  uint8Array({ maxLength: 80 }).map((noise) => new TextDecoder().decode(noise)),
  string({ maxLength: 60 }),
);
const name = string({ minLength: 1, maxLength: 20 });

const call = record({
  id: name,
  type: constant("function" as const),
  function: record({
    name,
    arguments: oneof(
      text,
      jsonValue().map((value) => JSON.stringify(value)),
      anything().map(String),
    ),
  }),
});

const content = oneof(
  text,
  array(record({ type: constant("text" as const), text }), { minLength: 1, maxLength: 4 }),
);

const message = oneof(
  record(
    { role: constantFrom("system", "user"), content, name },
    { requiredKeys: ["role", "content"] },
  ),
  record({ role: constant("tool"), content, tool_call_id: name }),
  record(
    {
      role: constant("assistant"),
      content: option(content, { nil: null }),
      tool_calls: array(call, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ["role", "content"] },
  ),
).map((value) => value as ChatMessage);

const tool = record({
  type: constant("function"),
  function: record({
    name,
    description: text,
    parameters: dictionary(name, jsonValue({ depthSize: "small" })),
  }),
});

const conversation = record({
  messages: array(message, { minLength: 1, maxLength: 6 }),
  tools: array(tool, { maxLength: 3 }),
});

const style = record<JsonStyle>({
  indent: constantFrom(null, 4),
  ascii: boolean(),
  html: boolean(),
  parsed: boolean(),
});

const ratios: Record<string, number[]> = {};

afterAll(() => {
  const told = Object.entries(ratios).map(([of, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2);
    return `${of}: held to used at ${at(0)} least, ${at(0.5)} median, ${at(1)} most`;
  });
  // oxlint-disable-next-line no-console -- what the bounds come to
  console.info(told.join("\n"));
});

const note = (of: string, bound: number, used: number) => (ratios[of] ??= []).push(bound / used);

describe("the bound of a chat", () => {
  it.each([
    ["Llama", LLAMA, llama],
    ["ChatML", QWEN, chatMl],
    ["Mistral", MISTRAL, mistral],
  ] as const)("holds for the template of %s, a token for each byte", (of, model, template) => {
    assert(
      property(conversation, style, ({ messages, tools }, writes) => {
        const bound = chatInputBound(model, measureChat(messages, { tools }));
        const used = worstTokens(template({ messages, tools }, writes));
        note(`${of} at worst`, bound, used);
        expect(bound).toBeGreaterThanOrEqual(used);
      }),
      { numRuns: 1500, seed: 4 },
    );
  });

  it("holds in micro-neurons for every answer that is asked for, whatever max_tokens", () => {
    assert(
      property(
        conversation,
        integer({ min: 1, max: 8 }),
        integer({ min: 1, max: 1_048_576 }),
        ({ messages, tools }, choices, maxTokens) => {
          const chat = measureChat(messages, { tools });
          const plan = planGeneration({ kind: "chat", chat, maxTokens, choices }, [QWEN.id], {
            find: (id) => ({ kind: "found", model: CATALOGUE.get(id) ?? QWEN }),
            defaultMaxTokens: 1024,
            fitTo: null,
          });
          if (plan.kind !== "planned") throw new Error("a chat is planned");
          const read = worstTokens(
            chatMl({ messages, tools }, { indent: 4, ascii: true, html: true, parsed: true }),
          );
          // Neither what is read nor what is written can be more than the window.
          const window = 32_768;
          const one = priceOf(QWEN, {
            input_token: Math.min(read, window),
            output_token: Math.min(maxTokens, window),
          });
          expect(plan.stage.calls).toHaveLength(choices);
          expect(plan.stage.bound).toBeGreaterThanOrEqual(microNeurons(choices * one));
        },
      ),
      { numRuns: 300, seed: 4 },
    );
  });

  it("holds the most that a picture can be, for each of them", () => {
    const parts = Array.from({ length: 8 }, () => ({
      type: "image_url" as const,
      image_url: { url: "https://example.org/a.png" },
    }));
    const measured = measureChat([{ role: "user", content: parts }], {});
    expect(measured.images).toBe(8);
    expect(chatInputBound(GEMMA, measured)).toBeGreaterThanOrEqual(8 * 1122 + 64 + 16);
  });

  it("counts a response format's schema, and a tool that is named", () => {
    const messages: ChatMessage[] = [{ role: "user", content: "hi" }];
    const tokens = (parameters: object) => measureChat(messages, { ...parameters }).textTokens;
    const schema = { type: "object", properties: { a: { description: "x".repeat(500) } } };
    expect(tokens({ response_format: { type: "text" } })).toBe(2);
    expect(
      tokens({ response_format: { type: "json_schema", json_schema: { name: "a", schema } } }),
    ).toBeGreaterThan(500);
    expect(
      tokens({ tool_choice: { type: "function", function: { name: "n".repeat(50) } } }),
    ).toBeGreaterThan(52);
  });

  it("is tight for what people write: text costs its bytes, and nothing else does much", () => {
    const english = "The committee will meet on Thursday to discuss the harbour's new breakwater. ";
    const messages: ChatMessage[] = [{ role: "user", content: english.repeat(20) }];
    const bound = chatInputBound(LLAMA, measureChat(messages, {}));
    expect(bound).toBe(english.length * 20 + 40 + 8);
    // An estimate, for the ratio that is printed: English has some 4.4 bytes a token.
    note("English, as it is used", bound, (english.length * 20) / 4.4);
  });
});
