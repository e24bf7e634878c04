import type { Usage } from "../domain/catalogue/catalogue.ts";
import { parseExactly } from "../io/exact-json.ts";
import {
  callsIn,
  isError,
  isFailure,
  newToolCallId,
  readFinish,
  readToolCalls,
  reasoningIn,
  saidIn,
} from "./chat-reply.ts";
import { logprobsIn } from "./logprobs.ts";
import { field, readUsage } from "./engine-call.ts";
import type { ChatEvent, ToolCallDelta } from "./inference.ts";

// Reads the events of a streamed chat, in either of two forms: OpenAI's chunks, or `{ response }` of
// Workers AI's older models, which do not say why an answer ends.

/**
 * `begin` comes before all others, with the first event of any kind; `error` in its place, with the event
 * itself, and nothing after it.
 */
export type StreamedEvent =
  | ChatEvent
  | { readonly kind: "begin" }
  | { readonly kind: "error"; readonly value: unknown };

/** A tool call of which pieces are arriving. */
interface OpenCall {
  /** Its place among the calls of the answer. */
  readonly index: number;
  /** The engine's own; undefined: it has none. */
  readonly id: string | undefined;
  isNamed: boolean;
  hasArguments: boolean;
}

interface Progress {
  finished: boolean;
  /** Whether anything of an answer came: a text (also an empty one), reasoning, a call or a finish. */
  answered: boolean;
  calls: number;
  readonly all: OpenCall[];
  /** By the engine's index: the last one of each. */
  readonly open: Map<number, OpenCall>;
  /** Undefined: no event reported any. */
  usage: Usage | null | undefined;
}

/**
 * Ends without `end` when the stream was cut, reported an error, or sent something unreadable; empty when
 * it had nothing but its end.
 */
export async function* chatEvents(
  data: AsyncIterable<string>,
  maxTokens: number,
): AsyncGenerator<StreamedEvent, void> {
  const progress: Progress = {
    finished: false,
    answered: false,
    calls: 0,
    all: [],
    open: new Map(),
    usage: undefined,
  };
  let begun = false;
  try {
    for await (const text of data) {
      const done = text.trim() === "[DONE]";
      const value: unknown = done ? {} : parseExactly(text);
      if (isError(value)) {
        if (!begun) yield { kind: "error", value };
        return;
      }
      if (isFailure(field(choiceIn(value), "finish_reason"))) return;
      if (done && !progress.answered) {
        if (begun) yield { kind: "unanswered" };
        return;
      }
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

/** We ask for one answer, so there is one choice. */
function choiceIn(value: unknown): unknown {
  const choices = field(value, "choices");
  return Array.isArray(choices) ? choices[0] : undefined;
}

/** Usage is repeated after the finish, because a usage before it covers only a part. */
function* deducedFinish(progress: Progress, maxTokens: number): Generator<ChatEvent, void> {
  yield* emptyArguments(progress);
  const { calls, usage } = progress;
  const cut = (usage?.output_token ?? 0) >= maxTokens;
  yield { kind: "finish", reason: calls > 0 ? "tool_calls" : cut ? "length" : "stop" };
  if (usage !== undefined) yield { kind: "usage", usage };
}

function* readChunk(value: unknown, progress: Progress): Generator<ChatEvent, void> {
  if (Array.isArray(field(value, "choices"))) yield* readChoice(choiceIn(value), progress);
  else yield* readResponse(value, progress);
  if ((field(value, "usage") ?? null) === null) return;
  progress.usage = readUsage(value);
  yield { kind: "usage", usage: progress.usage };
}

function* readChoice(choice: unknown, progress: Progress): Generator<ChatEvent, void> {
  const delta = field(choice, "delta");
  const reasoning = reasoningIn(delta);
  if (reasoning !== null && reasoning !== "") yield { kind: "reasoning", text: reasoning };
  const logprobs = logprobsIn(choice);
  const content = saidIn(field(delta, "content")) ?? null;
  const said = content ?? "";
  if (said !== "" || logprobs.length > 0) {
    yield { kind: "text", text: said, ...(logprobs.length > 0 && { logprobs }) };
  }
  const refusal = field(delta, "refusal");
  if (typeof refusal === "string" && refusal !== "") yield { kind: "text", text: refusal };
  const calls = callsIn(delta);
  if (Array.isArray(calls) && calls.length > 0) {
    const deltas = calls.map((call, at) => placed(readDelta(call, at), progress));
    yield { kind: "tool_calls", deltas };
  }
  const reason = field(choice, "finish_reason") ?? null;
  const parts = [content, reasoning, refusal ?? null, reason];
  progress.answered ||= progress.calls > 0 || parts.some((part) => part !== null);
  if (reason === null || progress.finished) return;
  progress.finished = true;
  yield* emptyArguments(progress);
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

/**
 * A piece in its place. Clients answer a call by its id, so a call without one gets one with its first
 * piece. Some servers give each of several calls the index 0: another id with a name begins another
 * call. Others repeat id and name with each piece, which clients would join: they are given once.
 */
function placed(delta: ToolCallDelta, progress: Progress): ToolCallDelta {
  const known = progress.open.get(delta.index);
  const { id, name } = delta;
  const isAnother = id !== undefined && name !== undefined && id !== known?.id;
  const call = known === undefined || isAnother ? opened(delta, known, progress) : known;
  const isFirst = call !== known;
  const isNamed = call.isNamed;
  call.isNamed ||= name !== undefined;
  call.hasArguments ||= (delta.arguments ?? "") !== "";
  return {
    index: call.index,
    ...(isFirst && { id: id ?? newToolCallId() }),
    ...(name !== undefined && !isNamed && { name }),
    ...(delta.arguments !== undefined && { arguments: delta.arguments }),
  };
}

/** @throws TypeError for more calls than an answer may have */
function opened(delta: ToolCallDelta, known: OpenCall | undefined, progress: Progress): OpenCall {
  const isTaken = known !== undefined || progress.all.some(({ index }) => index === delta.index);
  const index = isTaken ? progress.calls : delta.index;
  if (index >= MAX_CALLS) throw new TypeError("too many tool calls");
  const call: OpenCall = { index, id: delta.id, isNamed: false, hasArguments: false };
  progress.open.set(delta.index, call);
  progress.all.push(call);
  progress.calls = Math.max(progress.calls, index + 1);
  return call;
}

/** Clients parse the arguments of a call: one without any gets an empty object. */
function* emptyArguments({ all }: Progress): Generator<ChatEvent, void> {
  const bare = all.filter(({ hasArguments }) => !hasArguments);
  if (bare.length === 0) return;
  yield { kind: "tool_calls", deltas: bare.map(({ index }) => ({ index, arguments: "{}" })) };
}

/** The older form: calls come whole, and a text that is a number comes as a number. */
function* readResponse(value: unknown, progress: Progress): Generator<ChatEvent, void> {
  const response = field(value, "response");
  if (typeof response === "string" || typeof response === "number") {
    progress.answered = true;
    if (response !== "") yield { kind: "text", text: String(response) };
  }
  const calls = readToolCalls(field(value, "tool_calls"));
  if (calls === null) throw new TypeError("not a list of tool calls");
  if (calls.length === 0) return;
  progress.answered = true;
  const deltas = calls.map((call, at): ToolCallDelta => ({
    index: progress.calls + at,
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  progress.calls += calls.length;
  yield { kind: "tool_calls", deltas };
}
