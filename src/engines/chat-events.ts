import type { Usage } from "../domain/catalogue/catalogue.ts";
import { newToolCallId, readFinish, readToolCalls, reasoningIn } from "./chat-reply.ts";
import { logprobsIn } from "./logprobs.ts";
import { field, readUsage } from "./engine-call.ts";
import type { ChatEvent, ToolCallDelta } from "./inference.ts";

// Reads the events of a streamed chat, in either of two forms: OpenAI's chunks, or `{ response }` of
// Workers AI's older models, which do not say why an answer ends.

/** `begin` comes before all others, with the first event of any kind. */
export type StreamedEvent = ChatEvent | { readonly kind: "begin" };

interface Progress {
  finished: boolean;
  calls: number;
  /** Indexes of the calls that have an id, from the engine or from us. */
  readonly named: Set<number>;
  /** Undefined: no event reported any. */
  usage: Usage | null | undefined;
}

/** Ends without `end` when the stream was cut, reported an error, or sent something unreadable. */
export async function* chatEvents(
  data: AsyncIterable<string>,
  maxTokens: number,
): AsyncGenerator<StreamedEvent, void> {
  const progress: Progress = { finished: false, calls: 0, named: new Set(), usage: undefined };
  let begun = false;
  try {
    for await (const text of data) {
      const done = text.trim() === "[DONE]";
      const value: unknown = done ? {} : JSON.parse(text);
      if (isError(value)) return;
      if (!begun) yield { kind: "begin" };
      begun = true;
      if (!done) {
        yield* readChunk(value, progress);
        continue;
      }
      if (!progress.finished) yield* deducedFinish(progress, maxTokens);
      yield { kind: "end" };
      return;
    }
    // Closed in order: the answer is complete if the model had sent its finish reason.
    if (progress.finished) yield { kind: "end" };
  } catch {
    // cut
  }
}

const isError = (value: unknown): boolean =>
  (field(value, "error") ?? null) !== null || (field(value, "errors") ?? null) !== null;

/** Usage is repeated after the finish, because a usage before it covers only a part. */
function* deducedFinish({ calls, usage }: Progress, maxTokens: number): Generator<ChatEvent, void> {
  const cut = (usage?.output_token ?? 0) >= maxTokens;
  yield { kind: "finish", reason: calls > 0 ? "tool_calls" : cut ? "length" : "stop" };
  if (usage !== undefined) yield { kind: "usage", usage };
}

function* readChunk(value: unknown, progress: Progress): Generator<ChatEvent, void> {
  const choices = field(value, "choices");
  if (Array.isArray(choices)) yield* readChoice(choices, progress);
  else yield* readResponse(value, progress);
  if ((field(value, "usage") ?? null) === null) return;
  progress.usage = readUsage(value);
  yield { kind: "usage", usage: progress.usage };
}

/** We ask for one answer, so there is one choice. */
function* readChoice(choices: readonly unknown[], progress: Progress): Generator<ChatEvent, void> {
  const choice: unknown = choices[0];
  const delta = field(choice, "delta");
  const reasoning = reasoningIn(delta);
  if (reasoning !== null && reasoning !== "") yield { kind: "reasoning", text: reasoning };
  const logprobs = logprobsIn(choice);
  const content = field(delta, "content");
  const said = typeof content === "string" ? content : "";
  if (said !== "" || logprobs.length > 0) {
    yield { kind: "text", text: said, ...(logprobs.length > 0 && { logprobs }) };
  }
  const refusal = field(delta, "refusal");
  if (typeof refusal === "string" && refusal !== "") yield { kind: "text", text: refusal };
  const calls = field(delta, "tool_calls");
  if (Array.isArray(calls) && calls.length > 0) {
    const deltas = calls.map((call, at) => withId(readDelta(call, at), progress));
    progress.calls = Math.max(progress.calls, ...deltas.map(({ index }) => index + 1));
    yield { kind: "tool_calls", deltas };
  }
  const reason = field(choice, "finish_reason") ?? null;
  if (reason === null || progress.finished) return;
  progress.finished = true;
  yield { kind: "finish", reason: readFinish(reason, progress.calls > 0) };
}

const MAX_CALLS = 128;

/** @throws TypeError for a value that is not a piece of a tool call */
function readDelta(value: unknown, at: number): ToolCallDelta {
  const index = field(value, "index") ?? at;
  if (typeof index !== "number" || !(index >= 0 && index < MAX_CALLS)) {
    throw new TypeError("not a piece of a tool call");
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

/** Clients answer a call by its id. A call without an id gets one with its first piece. */
function withId(delta: ToolCallDelta, { named }: Progress): ToolCallDelta {
  const isFirst = !named.has(delta.index);
  named.add(delta.index);
  return isFirst && delta.id === undefined ? { ...delta, id: newToolCallId() } : delta;
}

/** The older form: calls come whole, and a text that is a number comes as a number. */
function* readResponse(value: unknown, progress: Progress): Generator<ChatEvent, void> {
  const response = field(value, "response");
  if (typeof response === "string" || typeof response === "number") {
    if (response !== "") yield { kind: "text", text: String(response) };
  }
  const calls = readToolCalls(field(value, "tool_calls"));
  if (calls === null) throw new TypeError("not a list of tool calls");
  if (calls.length === 0) return;
  const deltas = calls.map((call, at): ToolCallDelta => ({
    index: progress.calls + at,
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  progress.calls += calls.length;
  yield { kind: "tool_calls", deltas };
}
