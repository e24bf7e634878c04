import type { OutputItem } from "../../domain/responses/item.ts";
import type { ChatEvent, FinishReason, ToolCallDelta } from "../../engines/inference.ts";
import {
  type Ending,
  endingOf,
  type ItemNumbers,
  messageItem,
  outputId,
  reasoningItem,
  textPart,
} from "./output-items.ts";
import type { ResponseObject } from "./response.ts";

// The events of a streamed response, as server-sent events. An item is begun, grows and ends; its place in
// the output and its id never change. Texts follow one another. Calls of tools may grow side by side, as
// some engines send them, and end together.
// https://platform.openai.com/docs/api-reference/responses-streaming

export interface ResponseEvents {
  /** The first events: the response is there, and has nothing yet. */
  begun(): string;
  /** The events of an answer's next piece. */
  piece(event: ChatEvent): string;
  /** What the answer came to; ends what is still open. */
  finish(): {
    readonly events: string;
    readonly output: readonly OutputItem[];
    readonly ending: Ending;
  };
  /** The last event: `response.completed` or `response.incomplete`. */
  ended(response: ResponseObject): string;
  /** The last event of an answer that was cut off. */
  cut(): string;
}

interface OpenText {
  readonly kind: "message" | "reasoning";
  readonly index: number;
  readonly id: string;
  text: string;
}

interface OpenCall {
  readonly index: number;
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  arguments: string;
}

/** Of a call of which the name has not come yet. */
interface UnnamedCall {
  id: string | undefined;
  arguments: string;
}

export const CUT_OFF = {
  code: "server_error",
  message: "The answer was cut off before its end.",
} as const;

export function responseEvents(begun: ResponseObject, numbers: ItemNumbers): ResponseEvents {
  let sequence = 0;
  const output: OutputItem[] = [];
  /** Items that were begun, the open ones too. */
  let count = 0;
  let openText: OpenText | null = null;
  const openCalls = new Map<number, OpenCall>();
  const unnamed = new Map<number, UnnamedCall>();
  let reason: FinishReason | null = null;

  const event = (type: string, fields: object): string => {
    const data = { type, sequence_number: sequence, ...fields };
    sequence += 1;
    return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  };

  const begin = (item: OutputItem): string => {
    const added = event("response.output_item.added", { output_index: count, item });
    count += 1;
    return added;
  };

  const end = (index: number, item: OutputItem): string => {
    output[index] = item;
    return event("response.output_item.done", { output_index: index, item });
  };

  const beginText = (kind: OpenText["kind"]): string => {
    const id = outputId(numbers, kind, count);
    const opened: OpenText = { kind, index: count, id, text: "" };
    openText = opened;
    const item = kind === "message" ? messageItem : reasoningItem;
    return (
      begin({ ...item(id, "", "in_progress"), content: [] }) +
      event("response.content_part.added", { ...placeOf(opened), part: partOf(opened) })
    );
  };

  const grow = (kind: OpenText["kind"], text: string): string => {
    if (text === "") return "";
    const before = openText?.kind === kind ? "" : closeText("completed") + beginText(kind);
    const opened = openText;
    if (opened === null) throw new Error("a text that was not begun");
    opened.text += text;
    const place = placeOf(opened);
    return (
      before +
      (kind === "message"
        ? event("response.output_text.delta", { ...place, delta: text, logprobs: [] })
        : event("response.reasoning_text.delta", { ...place, delta: text }))
    );
  };

  const closeText = (status: "completed" | "incomplete"): string => {
    const closed = openText;
    if (closed === null) return "";
    openText = null;
    const { kind, index, id, text } = closed;
    const place = placeOf(closed);
    const item = kind === "message" ? messageItem : reasoningItem;
    return (
      (kind === "message"
        ? event("response.output_text.done", { ...place, text, logprobs: [] })
        : event("response.reasoning_text.done", { ...place, text })) +
      event("response.content_part.done", { ...place, part: partOf(closed) }) +
      end(index, item(id, text, status))
    );
  };

  const growCall = (delta: ToolCallDelta): string => {
    const opened = openCalls.get(delta.index);
    if (opened !== undefined) return growOpen(opened, delta.arguments ?? "");
    const waiting = unnamed.get(delta.index) ?? { id: undefined, arguments: "" };
    waiting.id ??= delta.id;
    waiting.arguments += delta.arguments ?? "";
    if (delta.name === undefined) {
      unnamed.set(delta.index, waiting);
      return "";
    }
    unnamed.delete(delta.index);
    return closeText("completed") + beginCall(delta.index, delta.name, waiting);
  };

  const beginCall = (at: number, name: string, { id: given, arguments: said }: UnnamedCall) => {
    const id = outputId(numbers, "function_call", count);
    const callId = given ?? id.replace(/^fc_/, "call_");
    const call: OpenCall = { index: count, id, callId, name, arguments: "" };
    openCalls.set(at, call);
    return begin(callItem(call, "in_progress")) + growOpen(call, said);
  };

  const growOpen = (call: OpenCall, delta: string): string => {
    if (delta === "") return "";
    call.arguments += delta;
    const { id: item_id, index: output_index } = call;
    return event("response.function_call_arguments.delta", { item_id, output_index, delta });
  };

  const closeCalls = (status: "completed" | "incomplete"): string => {
    const last = [...openCalls.values()].at(-1);
    const closed = [...openCalls.values()].map((call) => {
      const { id: item_id, index: output_index, name } = call;
      const done = { item_id, output_index, name, arguments: call.arguments };
      const ended = callItem(call, call === last ? status : "completed");
      return event("response.function_call_arguments.done", done) + end(output_index, ended);
    });
    openCalls.clear();
    return closed.join("");
  };

  return {
    begun: () =>
      event("response.created", { response: begun }) +
      event("response.in_progress", { response: begun }),
    piece(piece) {
      switch (piece.kind) {
        case "text":
          return closeCalls("completed") + grow("message", piece.text);
        case "reasoning":
          return closeCalls("completed") + grow("reasoning", piece.text);
        case "tool_calls":
          return piece.deltas.map(growCall).join("");
        case "finish":
          reason = piece.reason;
          return "";
        default:
          return "";
      }
    },
    finish() {
      const ending = endingOf(reason ?? "stop");
      // A call whose name never came is given as it is: its caller sees that nothing was called.
      const late = [...unnamed].map(([at, waiting]) => beginCall(at, "", waiting)).join("");
      unnamed.clear();
      const isText = openText !== null && openCalls.size === 0;
      const text = closeText(isText ? ending.status : "completed");
      const events = late + text + closeCalls(ending.status);
      return { events, output: [...output], ending };
    },
    ended: (response) =>
      event(response.status === "completed" ? "response.completed" : "response.incomplete", {
        response,
      }),
    cut: () =>
      event("response.failed", {
        response: { ...begun, status: "failed", error: CUT_OFF, output: [...output] },
      }),
  };
}

const placeOf = ({ id, index }: OpenText) => ({
  item_id: id,
  output_index: index,
  content_index: 0,
});

const partOf = ({ kind, text }: OpenText) =>
  kind === "message" ? textPart(text) : ({ type: "reasoning_text", text } as const);

const callItem = (call: OpenCall, status: "in_progress" | "completed" | "incomplete") => ({
  type: "function_call" as const,
  id: call.id,
  call_id: call.callId,
  name: call.name,
  arguments: call.arguments,
  status,
});
