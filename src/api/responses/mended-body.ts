import type { FieldError } from "../../domain/ledger/failure.ts";
import {
  flatTool,
  formatOf,
  formRefused,
  isThought,
  mended,
  mendedMessage,
  mendedOutput,
  straySchema,
} from "../drop-in-body.ts";
import { type Fields, isEmptyList, isFields } from "../object-input.ts";

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
    ...(Array.isArray(input) && { input: input.flatMap(mendedItems) }),
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

/** A message of a chat may be several items: what was said, and each call. */
function mendedItems(sent: unknown): readonly unknown[] {
  if (typeof sent === "string") return [{ type: "message", role: "user", content: sent }];
  if (!isFields(sent)) return [sent];
  if (isOfChat(sent)) return itemsOfChat(sent);
  const item =
    "type" in sent ? sent : { type: "role" in sent ? "message" : "item_reference", ...sent };
  switch (item["type"]) {
    case "message":
      return [withContent(item, "content", item["role"])];
    case "function_call":
      return [{ ...item, arguments: mendedArguments(item["arguments"]) }];
    case "function_call_output":
      return [withContent({ ...item, output: mendedOutput(item["output"]) }, "output", "user")];
    default:
      return [item];
  }
}

const ANSWERS_A_CALL: ReadonlySet<unknown> = new Set(["tool", "function"]);

/** Calls, and the answers to them, as only a chat's messages have them. */
const isOfChat = ({ type = "message", role, ...rest }: Fields): boolean =>
  type === "message" &&
  (ANSWERS_A_CALL.has(role) ||
    (role === "assistant" && (Array.isArray(rest["tool_calls"]) || "function_call" in rest)));

function itemsOfChat(sent: Fields): readonly unknown[] {
  const message = mendedMessage(sent);
  if (!isFields(message)) return [message];
  const { tool_calls: calls, ...said } = message;
  if (said["role"] === "tool") {
    const { tool_call_id: call_id, content: output } = said;
    return [withContent({ type: "function_call_output", call_id, output }, "output", "user")];
  }
  const { content } = said;
  const isSilent =
    (content === undefined && saidOtherwise(said) === "") || content === "" || isEmptyList(content);
  const item = withContent({ ...said, type: "message" }, "content", "assistant");
  const asked = Array.isArray(calls) ? calls.map(callItem) : [];
  return isSilent && asked.length > 0 ? asked : [item, ...asked];
}

/** A call of a chat, as an item. */
function callItem(call: unknown): unknown {
  if (!isFields(call) || !isFields(call["function"])) return call;
  const { name, arguments: given } = call["function"];
  return { type: "function_call", call_id: call["id"], name, arguments: given };
}

/** Calls of functions without parameters come without arguments, others as an object. */
function mendedArguments(given: unknown): unknown {
  if (given === undefined || given === null || given === "") return "{}";
  return isFields(given) ? JSON.stringify(given) : given;
}

function withContent(item: Fields, name: string, role: unknown): Fields {
  const content = item[name] ?? (role === "assistant" ? saidOtherwise(item) : undefined);
  if (!Array.isArray(content)) return content === undefined ? item : { ...item, [name]: content };
  const said = role === "assistant" ? content.filter((part) => !isThought(part)) : content;
  // An assistant that only called a function, or only thought, said nothing.
  const isSilent = said.length === 0 && role === "assistant";
  return { ...item, [name]: isSilent ? "" : said.map((part) => mendedPart(part, role)) };
}

/** A chat has a refusal beside the content, which is null. */
const saidOtherwise = ({ refusal }: Fields): unknown =>
  typeof refusal === "string" && refusal !== "" ? [{ type: "refusal", refusal }] : "";

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
