import { tokensAtMost } from "../../domain/generation/token-bound.ts";
import { field } from "../engine-call.ts";
import type { ChatInference, ChatMessage, ChatOutput } from "../inference.ts";
import { cutAtStop } from "../stop-sequences.ts";
import { answerInSchema, type Unfillable } from "./schema-answer.ts";
import type { PromptText } from "./schema-values.ts";
import { rankedSentences } from "./sentences.ts";

// A stand-in for a language model: it quotes the sentences of the prompt that share most words with its
// question. Each surface can be tried with it, offline. The same prompt always gives the same answer; it
// knows nothing and makes nothing up.

export const EXTRACT_MODEL = "neurogate/extract@1";

/** An answer is a few sentences, as a summary would be. */
const QUOTED = 3;

/** Bytes that count as a token when the answer is cut, as in the charge (`estimateInputTokens`). */
const BYTES_PER_TOKEN = 2;

const NOTHING_TO_QUOTE = "There is nothing in the prompt that I could quote.";

export type Extracted =
  | { readonly kind: "extracted"; readonly output: ChatOutput }
  | { readonly kind: "unsupported"; readonly parameter?: string; readonly detail: string };

export function extract({ messages, maxTokens, parameters }: ChatInference): Extracted {
  // It sees no pictures, and an answer that ignored a picture would look like one about it.
  if (messages.some(hasPicture)) {
    return { kind: "unsupported", detail: "The local stand-in sees no pictures." };
  }
  const { tool_choice: choice = "auto", stop, response_format: format } = parameters;
  // It never calls a tool, so it cannot be made to.
  if (choice !== "auto" && choice !== "none") {
    const detail = 'the local stand-in calls no tools: send "auto" or "none".';
    return { kind: "unsupported", parameter: "tool_choice", detail };
  }
  if (parameters["logprobs"] === true) return { kind: "unsupported", ...NO_LOGPROBS };
  const sentences = rankedSentences(messages);
  const written = inFormat(format, quoted(sentences), {
    sentences: sentences.map(({ text }) => text),
  });
  if (typeof written !== "string") {
    const { keyword, place } = written;
    const detail = `the local stand-in cannot fill ${keyword} at ${place} of the schema.`;
    return { kind: "unsupported", parameter: "response_format", detail };
  }
  const { text } = cutAtStop(written, stop);
  const kept = cutToTokens(text, maxTokens);
  return {
    kind: "extracted",
    output: {
      content: kept,
      reasoning: null,
      toolCalls: [],
      finishReason: kept === text ? "stop" : "length",
    },
  };
}

const NO_LOGPROBS = {
  parameter: "logprobs",
  detail: "the local stand-in has no probabilities.",
} as const;

const hasPicture = ({ content }: ChatMessage): boolean =>
  content !== null &&
  typeof content !== "string" &&
  content.some((part) => part.type === "image_url");

/** The best sentences, in the order of the prompt; if none shares a word, the first ones. */
function quoted(ranked: ReturnType<typeof rankedSentences>): string {
  const related = ranked.filter(({ score }) => score > 0);
  const best = (related.length > 0 ? related : ranked).slice(0, QUOTED);
  if (best.length === 0) return NOTHING_TO_QUOTE;
  return best
    .toSorted((a, b) => a.at - b.at)
    .map(({ text }) => text)
    .join(" ");
}

function inFormat(format: unknown, text: string, prompt: PromptText): string | Unfillable {
  switch (field(format, "type")) {
    case "json_object":
      return JSON.stringify({ answer: text });
    case "json_schema": {
      const schema = field(field(format, "json_schema"), "schema") ?? { type: "object" };
      const answer = answerInSchema(rounded(schema), prompt);
      return answer.kind === "filled" ? JSON.stringify(answer.value) : answer;
    }
    default:
      return text;
  }
}

/** The beginning of a text that fits `maxTokens`, to the end of a word where there is one. */
function cutToTokens(text: string, maxTokens: number): string {
  const most = maxTokens * BYTES_PER_TOKEN;
  if (text.length <= most && tokensAtMost(text) <= most) return text;
  let fits = 0;
  // A character counts at least one.
  let exceeds = Math.min(text.length, most + 1);
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    if (tokensAtMost(text.slice(0, middle)) <= most) fits = middle;
    else exceeds = middle;
  }
  const cut = text.slice(0, fits).replace(/[\ud800-\udbff]$/, "");
  const words = cut.slice(0, lastWordAt(cut)).trimEnd();
  return words === "" ? cut : words;
}

/** Not a regular expression: one that ends in `$` would start again at every character of a long word. */
function lastWordAt(text: string): number {
  let at = text.length;
  while (at > 0 && /\S/u.test(text.charAt(at - 1))) at -= 1;
  return at;
}

/** Its long numbers as plain ones: nothing here needs their last digits. */
const rounded = (schema: unknown): unknown => JSON.parse(JSON.stringify(schema ?? null));
