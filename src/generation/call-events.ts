import type { Hold, Item } from "../domain/ledger/ledger.ts";
import type { GenerationStage } from "../domain/generation/plan-generation.ts";
import type { Usage } from "../domain/catalogue/catalogue.ts";
import type { ModelOutcome } from "../engines/engine-call.ts";
import type { Unanswered } from "../engines/engine.ts";
import type { ChatEvent, ChatStream } from "../engines/inference.ts";
import type { GuardResults } from "./chat-guard.ts";
import { type EndedCall, type GenerationContext, itemOf } from "./run-generation.ts";

// Merges the streams of a call's answers into one, with the items of the call at its end.

/** An event of one answer that the caller receives. */
export type ChoiceEvent = Exclude<ChatEvent, { kind: "usage" | "unanswered" | "end" }>;

/**
 * An event on its way from the engines to the caller. In between, a guard may hold events back, replace them,
 * and add its own items to `closed`, the last event.
 */
export type CallEvent =
  | { readonly kind: "choice"; readonly index: number; readonly event: ChoiceEvent }
  | {
      readonly kind: "closed";
      /** The items of the journal line, the generation's own first. */
      readonly items: readonly Item[];
      /** Whether every answer reached its end; otherwise at least one was cut off. */
      readonly complete: boolean;
      /** The results of its guard, if it has one. */
      readonly guard?: GuardResults;
    };

export type CallEvents = AsyncGenerator<CallEvent, void>;

/** One answer: the call that was made for it, and what is known of it so far. */
interface Choice {
  readonly index: number;
  readonly asked: ModelOutcome<ChatStream | Unanswered>;
  readonly events: ChatStream["events"];
  usage: Usage | null;
  finished: boolean;
  ended: boolean;
  /** Collected only to estimate usage, for stand-ins, whose answers are short. */
  text: string;
}

export interface OpenedStream {
  readonly asked: ModelOutcome<ChatStream | Unanswered>;
  readonly events: ChatStream["events"];
}

/**
 * Reads each stream at most one event ahead of the reader of this one. Never throws; it ends when all streams
 * have ended.
 */
export async function* callEvents(
  context: GenerationContext,
  opened: readonly OpenedStream[],
): CallEvents {
  const choices = opened.map(({ asked, events }, index): Choice => ({
    index,
    asked,
    events,
    usage: null,
    finished: false,
    ended: false,
    text: "",
  }));
  const waiting = new Map(choices.map((choice) => [choice, next(choice)]));
  while (waiting.size > 0) {
    // oxlint-disable-next-line no-await-in-loop -- the first event of any stream
    const { choice, result } = await Promise.race(waiting.values());
    waiting.delete(choice);
    if (result.done === true) continue;
    const event = record(choice, result.value, context);
    if (event !== null) yield { kind: "choice", index: choice.index, event };
    waiting.set(choice, next(choice));
  }
  const calls = choices.map((choice) => endedCall(choice, context));
  yield {
    kind: "closed",
    items: [itemOf(context, "chat", calls)],
    complete: choices.every(({ ended }) => ended),
  };
}

const next = async (choice: Choice) => ({ choice, result: await choice.events.next() });

/** Records an event; returns it if it is for the caller, null if it is only for the ledger. */
function record(
  choice: Choice,
  event: ChatEvent,
  { engine }: GenerationContext,
): ChoiceEvent | null {
  switch (event.kind) {
    case "usage":
      choice.usage = event.usage;
      return null;
    case "end":
      choice.ended = true;
      return null;
    case "unanswered":
      choice.finished = true;
      return null;
    case "finish":
      choice.finished = true;
      // Usage that was reported before is not the usage of the whole answer.
      choice.usage = null;
      return event;
    case "text":
      if (engine.name === "embedded") choice.text += event.text;
      return event;
    default:
      return event;
  }
}

/** Usage that was reported before a stream was cut off covers only a part of it. */
function endedCall(choice: Choice, { engine }: GenerationContext): EndedCall {
  const { asked, ended, finished, text } = choice;
  const isCached = asked.outcome.kind === "streaming" && asked.outcome.servedBy !== undefined;
  const usage = isCached ? {} : choice.usage;
  if (ended) {
    const simulated = engine.name === "embedded";
    return { asked, end: { kind: "answered", usage, simulated, outputText: text } };
  }
  return { asked, end: { kind: "unknown", usage: finished || isCached ? usage : null } };
}

/** The admitted call of a stream, for its renderer. */
export interface StreamHead {
  readonly hold: Hold;
  readonly stage: GenerationStage;
  /** The catalogue model that was asked and whose price applies. */
  readonly model: string;
  /** The generation of the tenant in which it is made. */
  readonly generation: number;
  /** Whether the answer may be kept as a response. */
  readonly keepsResponse: boolean;
}
