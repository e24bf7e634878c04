// The items of a response: what was said and called in one turn, in the form of OpenAI's Responses API.
// Each item of a turn has an index: first the caller's, then the model's.

export type MessageRole = "user" | "assistant" | "system" | "developer";

export type ItemPart =
  | { readonly type: "input_text"; readonly text: string }
  /** An https URL, or a data URI. */
  | { readonly type: "input_image"; readonly image_url: string; readonly detail: ImageDetail }
  | { readonly type: "output_text"; readonly text: string; readonly annotations: readonly never[] }
  | { readonly type: "refusal"; readonly refusal: string };

/** Models here take a picture in one way: it is kept as it was sent, and changes nothing. */
export const IMAGE_DETAILS = ["low", "high", "auto", "original"] as const;
export type ImageDetail = (typeof IMAGE_DETAILS)[number];

export const ITEM_STATUSES = ["in_progress", "completed", "incomplete"] as const;
export type ItemStatus = (typeof ITEM_STATUSES)[number];

export interface MessageItem {
  readonly type: "message";
  readonly id: string;
  readonly role: MessageRole;
  readonly status: ItemStatus;
  readonly content: readonly ItemPart[];
}

export interface FunctionCallItem {
  readonly type: "function_call";
  readonly id: string;
  readonly call_id: string;
  readonly name: string;
  /** JSON, as the model wrote it. */
  readonly arguments: string;
  readonly status: ItemStatus;
}

export interface FunctionCallOutputItem {
  readonly type: "function_call_output";
  readonly id: string;
  readonly call_id: string;
  readonly output: string | readonly ItemPart[];
  readonly status: ItemStatus;
}

/** What a model thought before it answered. It is given to the caller, and to no model again. */
export interface ReasoningItem {
  readonly type: "reasoning";
  readonly id: string;
  readonly summary: readonly never[];
  readonly content: readonly { readonly type: "reasoning_text"; readonly text: string }[];
  readonly status: ItemStatus;
}

/** An item that a caller gives. */
export type InputItem = MessageItem | FunctionCallItem | FunctionCallOutputItem;

/** An item that a model made. */
export type OutputItem = MessageItem | FunctionCallItem | ReasoningItem;

export type ResponseItem = InputItem | OutputItem;

const PREFIXES: Readonly<Record<ResponseItem["type"], string>> = {
  message: "msg",
  function_call: "fc",
  function_call_output: "fco",
  reasoning: "rs",
};

/** Items of a turn, and of a conversation with all its turns. Four digits number those of a turn. */
export const MOST_ITEMS = 4096;
const DIGITS = 4;

const ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}";
const ITEM_ID = new RegExp(`^(?:msg|fc|fco|rs)_(${ULID})_\\d{${DIGITS}}$`);

/** The same call gives the same id, also when it is replayed. */
export const responseIdOf = (callId: string): string => callId.replace(/^jnl_/, "resp_");

/** `msg_01M7WM9VDG3WVTE8T1RYS3AM18_0002` is the third item of `resp_01M7WM9VDG3WVTE8T1RYS3AM18`. */
export const itemId = (type: ResponseItem["type"], responseId: string, index: number): string =>
  `${PREFIXES[type]}${responseId.replace(/^resp/, "")}_${String(index).padStart(DIGITS, "0")}`;

/** The response whose item it is; null: no id of an item. */
export function responseOfItem(id: string): string | null {
  const ulid = ITEM_ID.exec(id)?.[1];
  return ulid === undefined ? null : `resp_${ulid}`;
}
