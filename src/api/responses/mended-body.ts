import type { FieldError } from "../../domain/ledger/failure.ts";
import {
  type Fields,
  flatTool,
  formatOf,
  formRefused,
  isFields,
  mended,
  straySchema,
} from "../drop-in-body.ts";

// What clients of the Responses API leave out, or write as they do for chats. Null means absent already.

/** The type of an item may be left out where its other fields say it, and texts stand for their parts. */
export function mendedResponse(value: unknown): unknown {
  const body = mended(value);
  if (!isFields(body)) return body;
  const { input, tools, text } = body;
  // `auto` is what is done without tools anyway.
  const { tool_choice: choice, ...rest } = body;
  const saysNothing = choice === "auto" && !(Array.isArray(tools) && tools.length > 0);
  return {
    ...(saysNothing ? rest : body),
    ...(Array.isArray(tools) && { tools: tools.map(flatTool) }),
    ...(isFields(choice) && { tool_choice: flatTool(choice) }),
    ...(isFields(text) && { text: mendedText(text) }),
    ...(Array.isArray(input) && { input: input.map(mendedItem) }),
  };
}

/** A schema as a chat has it, beside `json_object`, or without a name. */
function mendedText(text: Fields): Fields {
  if (!isFields(text["format"])) return text;
  const { type, json_schema: wrapped, ...second } = formatOf(text["format"]);
  if (type !== "json_schema" || wrapped === undefined || "schema" in second) return text;
  return { ...text, format: { type, ...(isFields(wrapped) ? wrapped : { schema: wrapped }) } };
}

const fieldOfResponseRefused = formRefused(
  "the form of an answer is a JSON schema in text.format, and nothing else",
);

/** Null: its form of the answer is one that can be honoured. */
export function formOfResponseRefused(body: unknown): FieldError | null {
  const { text } = Object(body) as Fields;
  const format = isFields(text) ? text["format"] : undefined;
  return fieldOfResponseRefused(body) ?? straySchema(format, ["text", "format"], "schema");
}

function mendedItem(sent: unknown): unknown {
  if (typeof sent === "string") return { type: "message", role: "user", content: sent };
  if (!isFields(sent)) return sent;
  const item =
    "type" in sent ? sent : { type: "role" in sent ? "message" : "item_reference", ...sent };
  switch (item["type"]) {
    case "message":
      return withContent(item, "content", item["role"]);
    case "function_call":
      return { ...item, arguments: mendedArguments(item["arguments"]) };
    case "function_call_output":
      return withContent(item, "output", "user");
    default:
      return item;
  }
}

/** Calls of functions without parameters come without arguments, others as an object. */
function mendedArguments(given: unknown): unknown {
  if (given === undefined || given === null || given === "") return "{}";
  return isFields(given) ? JSON.stringify(given) : given;
}

function withContent(item: Fields, name: string, role: unknown): Fields {
  const content = item[name];
  if (!Array.isArray(content)) return item;
  // An assistant that only called a function said nothing.
  const isSilent = content.length === 0 && role === "assistant";
  return { ...item, [name]: isSilent ? "" : content.map((part) => mendedPart(part, role)) };
}

function mendedPart(part: unknown, role: unknown): unknown {
  const text = role === "assistant" ? "output_text" : "input_text";
  if (typeof part === "string") return { type: text, text: part };
  if (!isFields(part)) return part;
  if (part["type"] === "text") return { ...part, type: text };
  const { image_url: url } = part;
  return {
    ...part,
    ...(part["type"] === "image_url" && { type: "input_image" }),
    ...(isFields(url) && { image_url: url["url"] }),
  };
}
