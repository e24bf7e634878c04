import { mended } from "../drop-in-body.ts";

// What clients of the Responses API leave out, or write as they do for chats. Null means absent already.

type Fields = Readonly<Record<string, unknown>>;

/** The type of an item may be left out where its other fields say it, and texts stand for their parts. */
export function mendedResponse(value: unknown): unknown {
  const body = mended(value);
  if (!isFields(body)) return body;
  const { input, tools } = body;
  // `auto` is what is done without tools anyway.
  const { tool_choice: choice, ...rest } = body;
  const saysNothing = choice === "auto" && !(Array.isArray(tools) && tools.length > 0);
  return {
    ...(saysNothing ? rest : body),
    ...(Array.isArray(input) && { input: input.map(mendedItem) }),
  };
}

function mendedItem(sent: unknown): unknown {
  if (typeof sent === "string") return { type: "message", role: "user", content: sent };
  if (!isFields(sent)) return sent;
  const item =
    "type" in sent ? sent : { type: "role" in sent ? "message" : "item_reference", ...sent };
  switch (item["type"]) {
    case "message":
      return { ...item, content: mendedContent(item["content"], item["role"]) };
    case "function_call":
      return { ...item, arguments: mendedArguments(item["arguments"]) };
    case "function_call_output":
      return { ...item, output: mendedContent(item["output"], "user") };
    default:
      return item;
  }
}

/** Calls of functions without parameters come without arguments, others as an object. */
function mendedArguments(given: unknown): unknown {
  if (given === undefined || given === null || given === "") return "{}";
  return isFields(given) ? JSON.stringify(given) : given;
}

const mendedContent = (content: unknown, role: unknown): unknown =>
  Array.isArray(content) ? content.map((part) => mendedPart(part, role)) : content;

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

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);
