import * as v from "valibot";
import { isWholeObject } from "../../domain/text/json-text.ts";
import {
  IMAGE_DETAILS,
  type InputItem,
  ITEM_STATUSES,
  type ItemPart,
  itemId,
  type MessageRole,
  MOST_ITEMS,
  responseOfItem,
} from "../../domain/responses/item.ts";
import { stated } from "../../http/field-errors.ts";
import { object } from "../object-input.ts";

// The items of a request to the Responses API, as clients send them, and the form in which they are kept.
// https://platform.openai.com/docs/api-reference/responses/create

const MAX_PARTS = 256;

const shortName = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const givenId = v.nullish(v.pipe(v.string(), v.maxLength(512)));
/** As long as some providers make them. */
const callId = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const status = v.nullish(v.picklist(ITEM_STATUSES));

/** Parts that are known, and refused by name. */
export const UNSERVED_PARTS = ["input_file", "input_audio", "computer_screenshot"] as const;

const Part = v.variant("type", [
  object({ type: v.picklist(["input_text", "output_text"]), text: v.string() }),
  object({ type: v.literal("refusal"), refusal: v.string() }),
  object({
    type: v.literal("input_image"),
    image_url: v.nullish(
      v.pipe(
        v.string(),
        v.minLength(1),
        v.description("An https URL, or a data URI of a PNG, JPEG or WebP picture."),
      ),
    ),
    file_id: v.nullish(v.unknown()),
    detail: v.nullish(v.picklist(IMAGE_DETAILS)),
  }),
  object({ type: v.picklist(UNSERVED_PARTS) }),
]);

const content = v.union([
  v.string(),
  v.pipe(v.array(Part), v.minLength(1), v.maxLength(MAX_PARTS)),
]);

/** Items that are known, and refused by name. */
export const UNSERVED_ITEMS = [
  "apply_patch_call",
  "apply_patch_call_output",
  "code_interpreter_call",
  "compaction",
  "computer_call",
  "computer_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "file_search_call",
  "image_generation_call",
  "local_shell_call",
  "local_shell_call_output",
  "mcp_approval_request",
  "mcp_approval_response",
  "mcp_call",
  "mcp_list_tools",
  "shell_call",
  "shell_call_output",
  "tool_search_call",
  "tool_search_output",
  "web_search_call",
] as const;

const Item = v.variant("type", [
  object({
    type: v.literal("message"),
    id: givenId,
    role: v.picklist(["user", "assistant", "system", "developer"]),
    content,
    status,
  }),
  object({
    type: v.literal("function_call"),
    id: givenId,
    call_id: callId,
    name: shortName,
    arguments: v.pipe(
      v.string(),
      v.check(stated("must be the JSON of an object, whole", isWholeObject)),
    ),
    status,
  }),
  object({
    type: v.literal("function_call_output"),
    id: givenId,
    call_id: callId,
    output: content,
    status,
  }),
  v.pipe(
    object({ type: v.literal("reasoning") }),
    v.description("A model's reasoning. It is accepted, and given to no model."),
  ),
  v.pipe(
    object({ type: v.literal("item_reference"), id: v.pipe(v.string(), v.maxLength(512)) }),
    v.description("An item of a kept response."),
  ),
  object({ type: v.picklist(UNSERVED_ITEMS) }),
]);

export const Input = v.pipe(
  v.union([
    v.pipe(v.string(), v.minLength(1)),
    v.pipe(v.array(Item), v.minLength(1), v.maxLength(MOST_ITEMS)),
  ]),
  v.description("What the user says, or the items of a conversation."),
);

export type RequestInput = v.InferOutput<typeof Input>;
export type RequestItem = v.InferOutput<typeof Item>;
type RequestPart = v.InferOutput<typeof Part>;

/** Something of the input that is not served. */
export interface Unserved {
  /** As in an error: `input[2].type`. */
  readonly parameter: string;
  readonly detail: string;
}

const SERVED_ITEMS = "message, function_call, function_call_output, reasoning and item_reference";

/** Null: all of it is served. */
export function unservedInput(input: RequestInput): Unserved | null {
  if (typeof input === "string") return null;
  for (const [at, item] of input.entries()) {
    const path = `input[${at}]`;
    if (isUnserved(item)) {
      const detail = `${path}.type: ${item.type} is not served; items are ${SERVED_ITEMS}.`;
      return { parameter: `${path}.type`, detail };
    }
    const [field, parts] = partsOf(item);
    for (const [index, part] of parts.entries()) {
      const unserved = unservedPart(part, `${path}.${field}[${index}]`);
      if (unserved !== null) return unserved;
    }
  }
  return null;
}

const isUnserved = (
  item: RequestItem,
): item is Extract<RequestItem, { type: (typeof UNSERVED_ITEMS)[number] }> =>
  (UNSERVED_ITEMS as readonly string[]).includes(item.type);

function partsOf(item: RequestItem): readonly ["content" | "output", readonly RequestPart[]] {
  if (item.type === "message" && typeof item.content !== "string") return ["content", item.content];
  if (item.type === "function_call_output" && typeof item.output !== "string") {
    return ["output", item.output];
  }
  return ["content", []];
}

function unservedPart(part: RequestPart, path: string): Unserved | null {
  if (part.type === "input_image") {
    const isUrl = part.image_url !== null && part.image_url !== undefined;
    if (isUrl) return null;
    const detail = `${path}.image_url: a picture is given by URL or as a data URI; no files are stored here.`;
    return { parameter: `${path}.image_url`, detail };
  }
  if (!(UNSERVED_PARTS as readonly string[]).includes(part.type)) return null;
  const detail = `${path}.type: ${part.type} is not served; parts are input_text, output_text, refusal and input_image.`;
  return { parameter: `${path}.type`, detail };
}

/** An item of a request, or a reference to one that is kept. */
export type GivenItem =
  | { readonly kind: "item"; readonly item: InputItem; readonly at: number }
  | { readonly kind: "reference"; readonly id: string; readonly at: number };

/** The items in the form in which they are kept, numbered from the response's first index on. */
export function givenItems(input: RequestInput, responseId: string): readonly GivenItem[] {
  const items: readonly RequestItem[] =
    typeof input === "string" ? [{ type: "message", role: "user", content: input }] : input;
  return items.flatMap((item, at): GivenItem[] => {
    switch (item.type) {
      case "message": {
        const { role } = item;
        const id = ownId(item, at, responseId);
        const parts = keptParts(item.content, role);
        const kept = { type: "message", id, role, status: "completed", content: parts } as const;
        return [{ kind: "item", item: kept, at }];
      }
      case "function_call": {
        const { type, call_id, name } = item;
        const id = ownId(item, at, responseId);
        const kept = { type, id, call_id, name, arguments: item.arguments, status: "completed" };
        return [{ kind: "item", item: kept as InputItem, at }];
      }
      case "function_call_output": {
        const { type, call_id } = item;
        const id = ownId(item, at, responseId);
        const output =
          typeof item.output === "string" ? item.output : keptParts(item.output, "user");
        const kept = { type, id, call_id, output, status: "completed" };
        return [{ kind: "item", item: kept as InputItem, at }];
      }
      case "item_reference":
        return [{ kind: "reference", id: item.id, at }];
      default:
        return [];
    }
  });
}

/** An item that comes back keeps its id. */
const ownId = (
  { type, id }: Extract<RequestItem, { type: InputItem["type"] }>,
  at: number,
  responseId: string,
): string =>
  id !== null && id !== undefined && responseOfItem(id) !== null
    ? id
    : itemId(type, responseId, at);

function keptParts(said: string | readonly RequestPart[], role: MessageRole): readonly ItemPart[] {
  const parts = typeof said === "string" ? [{ type: "input_text" as const, text: said }] : said;
  return parts.flatMap((part): ItemPart[] => {
    switch (part.type) {
      case "input_text":
      case "output_text":
        return role === "assistant"
          ? [{ type: "output_text", text: part.text, annotations: [] }]
          : [{ type: "input_text", text: part.text }];
      case "refusal":
        return [{ type: "refusal", refusal: part.refusal }];
      case "input_image": {
        const { image_url: url, detail } = part;
        if (url === null || url === undefined) return [];
        return [{ type: "input_image", image_url: url, detail: detail ?? "auto" }];
      }
      default:
        return [];
    }
  });
}
