import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import { type ItemPart, MOST_ITEMS, type ResponseItem } from "../../domain/responses/item.ts";
import type { ChatMessage, ChatPart, ToolCall } from "../../engines/inference.ts";
import { FIELD_NAMES } from "./body.ts";

// A conversation of items as the messages of a chat, and a chat's errors in the words of this surface.

type Path = FieldError["path"];

/** An item, and where the request gives it: an item of the history is named by what it is found by. */
export interface PlacedItem {
  readonly item: ResponseItem;
  readonly path: Path;
}

export interface Conversation {
  readonly kind: "conversation";
  readonly messages: readonly ChatMessage[];
  /** By message, where it comes from. */
  readonly paths: readonly Path[];
}

type Misread = Extract<RequestFailure, { kind: "invalid_request" }>;

const invalid = (path: Path, detail: string): Misread => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});

/** @param instructions come first; null: there are none */
export function toConversation(
  instructions: string | null,
  items: readonly PlacedItem[],
): Conversation | Misread {
  if (items.length > MOST_ITEMS) {
    return invalid(["input"], `must have at most ${MOST_ITEMS} items, with those before it`);
  }
  const wrong = unpairedCall(items);
  if (wrong !== null) return wrong;
  const messages: ChatMessage[] = [];
  const paths: Path[] = [];
  if (instructions !== null && instructions !== "") {
    messages.push({ role: "system", content: instructions });
    paths.push(["instructions"]);
  }
  for (const { item, path } of items) {
    if (item.type === "reasoning") continue;
    if (item.type === "function_call") {
      const last = messages.at(-1);
      const call = toToolCall(item);
      // What an assistant says and calls at once is one message of a chat.
      if (last?.role === "assistant") {
        messages[messages.length - 1] = {
          ...last,
          tool_calls: [...(last.tool_calls ?? []), call],
        };
        continue;
      }
      messages.push({ role: "assistant", content: null, tool_calls: [call] });
      paths.push(path);
      continue;
    }
    const parts = item.type === "message" ? item.content : item.output;
    const field = item.type === "message" ? "content" : "output";
    const isShown = item.type !== "message" || item.role === "user";
    if (!isShown && typeof parts !== "string" && parts.some(isPicture)) {
      return invalid([...path, field], "must have pictures in messages of the user only");
    }
    messages.push(
      item.type === "message"
        ? { role: roleOf(item.role), content: toContent(parts) }
        : { role: "tool", content: toContent(parts), tool_call_id: item.call_id },
    );
    paths.push([...path, field]);
  }
  return { kind: "conversation", messages, paths };
}

const roleOf = (role: "user" | "assistant" | "system" | "developer") =>
  role === "developer" ? "system" : role;

const isPicture = (part: ItemPart): boolean => part.type === "input_image";

const toToolCall = (item: Extract<ResponseItem, { type: "function_call" }>): ToolCall => ({
  id: item.call_id,
  type: "function",
  function: { name: item.name, arguments: item.arguments },
});

/** A single text is sent as a text: not every model takes parts. */
function toContent(parts: string | readonly ItemPart[]): NonNullable<ChatMessage["content"]> {
  if (typeof parts === "string") return parts;
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && !isPicture(first)) return textOf(first);
  return parts.map((part): ChatPart =>
    part.type === "input_image"
      ? { type: "image_url", image_url: { url: part.image_url } }
      : { type: "text", text: textOf(part) },
  );
}

function textOf(part: ItemPart): string {
  if (part.type === "refusal") return part.refusal;
  return part.type === "input_image" ? "" : part.text;
}

/** Models answer a call without its output, or an output without its call, with an error of their own. */
function unpairedCall(items: readonly PlacedItem[]): Misread | null {
  const open = new Set<string>();
  const called = new Set<string>();
  for (const { item, path } of items) {
    if (item.type === "function_call") {
      open.add(item.call_id);
      called.add(item.call_id);
    }
    if (item.type === "function_call_output") {
      if (!called.has(item.call_id)) {
        return invalid([...path, "call_id"], "must be of a function_call that comes before it");
      }
      open.delete(item.call_id);
    }
  }
  return open.size === 0
    ? null
    : invalid(["input"], "must have a function_call_output for each function_call before it");
}

/** A failure of the chat, with the names and places of this surface. */
export function ofResponse<Failure extends { readonly kind: string }>(
  failure: Failure,
  { paths }: Pick<Conversation, "paths">,
): Failure {
  if (isKind(failure, "invalid_request")) {
    const errors = failure.errors.map((error) => ({ ...error, path: placed(error.path, paths) }));
    return { ...failure, errors };
  }
  if (!isKind(failure, "unsupported_parameter")) return failure;
  const { parameter, detail } = failure;
  const named = FIELD_NAMES[parameter];
  if (named === undefined) return failure;
  return { ...failure, parameter: named, detail: detail.replace(parameter, named) };
}

const isKind = <Kind extends RequestFailure["kind"], F extends { readonly kind: string }>(
  failure: F,
  kind: Kind,
): failure is F & Extract<RequestFailure, { kind: Kind }> => failure.kind === kind;

/** `["messages", 3, "content", 1, "image_url", "url"]` is `["input", 2, "content", 1, "image_url"]`. */
function placed(path: Path, paths: readonly Path[]): Path {
  const [field, at, , ...rest] = path;
  if (field !== "messages") return path;
  const of = typeof at === "number" ? paths[at] : undefined;
  if (of === undefined) return ["input"];
  if (of[0] !== "input") return of;
  return [...of, ...rest.filter((name) => name !== "url")];
}
