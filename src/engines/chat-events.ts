import type { Usage } from "../domain/catalogue/price.ts";
import { newToolCallId, readFinish, readToolCalls, reasoningIn } from "./chat-reply.ts";
import { field, readUsage } from "./engine-call.ts";
import type { ChatEvent, ToolCallDelta } from "./inference.ts";

// What the events of a streamed chat say, in either of the two forms: OpenAI's chunks, or
// `{ response }` of Workers AI's older models, which do not say why an answer ends.

/** `begin` stands before all others, at the first event of whatever kind. */
export type StreamedEvent = ChatEvent | { readonly kind: "begin" };

interface Seen {
  finished: boolean;
  calls: number;
  /** Of calls that were named, whoever named them. */
  readonly named: Set<number>;
  /** Undefined: none was told. */
  usage: Usage | null | undefined;
}

/** Ends without `end` where the stream was cut, said that it failed, or said what nobody can read. */
export async function* chatEvents(
  data: AsyncIterable<string>,
  maxTokens: number,
): AsyncGenerator<StreamedEvent, void> {
  const seen: Seen = { finished: false, calls: 0, named: new Set(), usage: undefined };
  let begun = false;
  try {
    for await (const text of data) {
      const done = text.trim() === "[DONE]";
      const value: unknown = done ? {} : JSON.parse(text);
      if (isError(value)) return;
      if (!begun) yield { kind: "begin" };
      begun = true;
      if (!done) {
        yield* readChunk(value, seen);
        continue;
      }
      if (!seen.finished) yield* deducedFinish(seen, maxTokens);
      yield { kind: "end" };
      return;
    }
    // Closed in good order: complete if the model had said that it was at its end.
    if (seen.finished) yield { kind: "end" };
  } catch {
    // cut
  }
}

const isError = (value: unknown): boolean =>
  (field(value, "error") ?? null) !== null || (field(value, "errors") ?? null) !== null;

/** What was used is told once more behind it: what came before the finish is of a part only. */
function* deducedFinish({ calls, usage }: Seen, maxTokens: number): Generator<ChatEvent, void> {
  const cut = (usage?.output_token ?? 0) >= maxTokens;
  yield { kind: "finish", reason: calls > 0 ? "tool_calls" : cut ? "length" : "stop" };
  if (usage !== undefined) yield { kind: "usage", usage };
}

function* readChunk(value: unknown, seen: Seen): Generator<ChatEvent, void> {
  const choices = field(value, "choices");
  if (Array.isArray(choices)) yield* readChoice(choices, seen);
  else yield* readResponse(value, seen);
  const told = field(value, "usage") ?? null;
  if (told === null) return;
  seen.usage = readUsage(value);
  yield { kind: "usage", usage: seen.usage };
}

/** One answer is asked for, so there is one. */
function* readChoice(choices: readonly unknown[], seen: Seen): Generator<ChatEvent, void> {
  const choice: unknown = choices[0];
  const delta = field(choice, "delta");
  const reasoning = reasoningIn(delta);
  if (reasoning !== null && reasoning !== "") yield { kind: "reasoning", text: reasoning };
  for (const name of ["content", "refusal"]) {
    const text = field(delta, name);
    if (typeof text === "string" && text !== "") yield { kind: "text", text };
  }
  const calls = field(delta, "tool_calls");
  if (Array.isArray(calls) && calls.length > 0) {
    const deltas = calls.map((call, at) => withId(readDelta(call, at), seen));
    seen.calls = Math.max(seen.calls, ...deltas.map(({ index }) => index + 1));
    yield { kind: "tool_calls", deltas };
  }
  const reason = field(choice, "finish_reason") ?? null;
  if (reason === null || seen.finished) return;
  seen.finished = true;
  yield { kind: "finish", reason: readFinish(reason, seen.calls > 0) };
}

const MAX_CALLS = 128;

/** @throws for what is no piece of a call */
function readDelta(value: unknown, at: number): ToolCallDelta {
  const index = field(value, "index") ?? at;
  if (typeof index !== "number" || !(index >= 0 && index < MAX_CALLS)) {
    throw new TypeError("no piece of a call");
  }
  const id = field(value, "id");
  const called = field(value, "function");
  const name = field(called, "name");
  const given = field(called, "arguments") ?? null;
  return {
    index,
    ...(typeof id === "string" && id !== "" && { id }),
    ...(typeof name === "string" && name !== "" && { name }),
    ...(given !== null && { arguments: typeof given === "string" ? given : JSON.stringify(given) }),
  };
}

/** Clients answer a call by its id: one that the engine does not name gets one with its first piece. */
function withId(delta: ToolCallDelta, { named }: Seen): ToolCallDelta {
  const isFirst = !named.has(delta.index);
  named.add(delta.index);
  return isFirst && delta.id === undefined ? { ...delta, id: newToolCallId() } : delta;
}

/** The older form: calls come whole, and a number where the text is one. */
function* readResponse(value: unknown, seen: Seen): Generator<ChatEvent, void> {
  const response = field(value, "response");
  if (typeof response === "string" || typeof response === "number") {
    if (response !== "") yield { kind: "text", text: String(response) };
  }
  const calls = readToolCalls(field(value, "tool_calls"));
  if (calls === null) throw new TypeError("no calls");
  if (calls.length === 0) return;
  const deltas = calls.map((call, at): ToolCallDelta => ({
    index: seen.calls + at,
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  seen.calls += calls.length;
  yield { kind: "tool_calls", deltas };
}
