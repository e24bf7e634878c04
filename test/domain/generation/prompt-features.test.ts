import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ANSWER_LENGTHS,
  COMPLEXITIES,
  type Prompt,
  promptFeatures,
  ROUTING_TASKS,
} from "../../../src/domain/generation/prompt-features.ts";

const prompt = (text: string | readonly string[], more: Partial<Prompt> = {}): Prompt => ({
  userTexts: typeof text === "string" ? [text] : text,
  messages: 1,
  tools: 0,
  maxTokens: null,
  ...more,
});

describe("the task of a conversation", () => {
  it.each([
    ["code", "Why does this fail?\n```js\nfoo()\n```"],
    ["code", "Write a python function that reverses a list."],
    ["code", "def add(a, b): return a + b  -- add type hints"],
    ["code", "const total = items.reduce(sum); // what is wrong here"],
    ["code", "SELECT name FROM users WHERE id = 3 is slow"],
    ["code", "I get TypeError: x is not iterable"],
    ["code", "refactor this and add unit tests, then compare both"],
    ["creative", "Write a short story about a lighthouse"],
    ["creative", "a haiku on rain"],
    ["creative", "Give me five slogans; brainstorm and imagine a whimsical character"],
    ["analysis", "Summarise this report: sales fell in May."],
    ["analysis", "Compare the two offers and list pros and cons"],
    ["analysis", "Calculate the probability of two heads"],
    ["conversation", "Hello, how are you?"],
    ["conversation", "What is the capital of France?"],
    ["conversation", "Please let me know (soon) if you can go; thanks"],
    ["conversation", "Was ist die Hauptstadt von Frankreich?"],
    ["conversation", ""],
  ])("is %s: %s", (task, text) => {
    expect(promptFeatures(prompt(text)).task).toBe(task);
  });

  it("is that of an earlier message where the last says nothing of it", () => {
    const { task } = promptFeatures(prompt(["Write a python script", "thanks", "and shorter?"]));
    expect(task).toBe("code");
    const late = promptFeatures(prompt(["Write a python script", "a", "b", "c", "and shorter?"]));
    expect(late.task).toBe("conversation");
  });

  it("is read from both ends of a long text", () => {
    const filler = "lorem ipsum ".repeat(2000);
    expect(promptFeatures(prompt(`${filler} Summarise this report.`)).task).toBe("analysis");
    expect(promptFeatures(prompt(`Write a poem. ${filler}`)).task).toBe("creative");
    expect(promptFeatures(prompt(`${filler} a poem ${filler}`)).task).toBe("conversation");
  });
});

describe("the complexity", () => {
  it.each([
    ["low", prompt("Hello")],
    ["low", prompt("x".repeat(1499))],
    ["low", prompt("x".repeat(1500))],
    ["medium", prompt("x".repeat(6000))],
    ["low", prompt("Prove it.")],
    ["medium", prompt("Prove that the architecture is right.")],
    ["medium", prompt("Prove it", { tools: 2 })],
    ["medium", prompt("- a\n- b\n- c\n- d?\n- e?\n1. f?")],
    ["high", prompt(`Prove that this architecture is right. ${"x".repeat(6000)}`)],
    ["high", prompt("Optimize the architecture, prove it", { messages: 12 })],
  ])("is %s", (complexity, asked) => {
    expect(promptFeatures(asked).complexity).toBe(complexity);
  });
});

describe("the length of the answer", () => {
  it.each([
    ["short", prompt("Hello")],
    ["medium", prompt("Write a poem")],
    ["short", prompt("Summarise this briefly")],
    ["long", prompt("Write a detailed report")],
    ["short", prompt("Tell me in 190 words")],
    ["medium", prompt("Tell me in 193 words")],
    ["long", prompt("a story of 800 words")],
    ["short", prompt("Write a detailed report", { maxTokens: 256 })],
    ["medium", prompt("Write a detailed report", { maxTokens: 1024 })],
    ["long", prompt("Write a detailed report", { maxTokens: 1025 })],
    ["short", prompt("Hello", { maxTokens: 100_000 })],
  ])("is %s", (length, asked) => {
    expect(promptFeatures(asked).length).toBe(length);
  });
});

const anyPrompt = fc.record({
  userTexts: fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 6 }),
  messages: fc.nat(50),
  tools: fc.nat(10),
  maxTokens: fc.option(fc.integer({ min: 1, max: 200_000 })),
});

describe("for any text", () => {
  it("the features are known ones, and the same each time", () => {
    fc.assert(
      fc.property(anyPrompt, (asked) => {
        const features = promptFeatures(asked);
        expect(ROUTING_TASKS).toContain(features.task);
        expect(COMPLEXITIES).toContain(features.complexity);
        expect(ANSWER_LENGTHS).toContain(features.length);
        expect(promptFeatures(structuredClone(asked))).toEqual(features);
      }),
    );
  });
});
