import type { Hold, Item } from "../domain/ledger/ledger.ts";
import type { GenerationStage } from "../domain/generation/plan-generation.ts";
import type { Usage } from "../domain/catalogue/price.ts";
import type { ModelOutcome } from "../engines/ask-models.ts";
import type { Unanswered } from "../engines/engine.ts";
import type { ChatEvent, ChatStream } from "../engines/inference.ts";
import type { GuardResults } from "./chat-guard.ts";
import { type EndedCall, type GenerationContext, itemOf } from "./run-generation.ts";

// The streams of a call's answers as one, and what the call came to when all have ended.

/** What is told to a caller of one answer. */
export type ChoiceEvent = Exclude<ChatEvent, { kind: "usage" | "end" }>;

/**
 * What passes from the engines to the caller. Between the two, whoever guards a stream may hold
 * events back, put others in their place, and add its own items to `closed`, which is the last one.
 */
export type CallEvent =
  | { readonly kind: "choice"; readonly index: number; readonly event: ChoiceEvent }
  | {
      readonly kind: "closed";
      /** What the journal line will say, the generation's own item first. */
      readonly items: readonly Item[];
      /** Whether every answer came to its end; else at least one was cut. */
      readonly complete: boolean;
      /** What its guard found, where there is one. */
      readonly guard?: GuardResults;
    };

export type CallEvents = AsyncGenerator<CallEvent, void>;

/** One answer: who was asked, and what is known of it so far. */
interface Choice {
  readonly index: number;
  readonly asked: ModelOutcome<ChatStream | Unanswered>;
  readonly events: ChatStream["events"];
  usage: Usage | null;
  finished: boolean;
  ended: boolean;
  /** Kept only where it is estimated by: of a stand-in, whose answers are short. */
  text: string;
}

export interface OpenedStream {
  readonly asked: ModelOutcome<ChatStream | Unanswered>;
  readonly events: ChatStream["events"];
}

/**
 * Reads each stream no further than one event ahead of what is asked for here. Never throws; it ends
 * when all streams have ended.
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
    // oxlint-disable-next-line no-await-in-loop -- whichever comes first
    const { choice, result } = await Promise.race(waiting.values());
    waiting.delete(choice);
    if (result.done === true) continue;
    const event = noted(choice, result.value, context);
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

/** What of it is for the caller; null: it is for the ledger alone. */
function noted(
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
    case "finish":
      choice.finished = true;
      // What was told on the way is not what the whole took.
      choice.usage = null;
      return event;
    case "text":
      if (engine.name === "embedded") choice.text += event.text;
      return event;
    default:
      return event;
  }
}

/** Usage that came before the end of a stream that was cut is of a part of it only. */
function endedCall(choice: Choice, { engine }: GenerationContext): EndedCall {
  const { asked, ended, finished, usage, text } = choice;
  if (ended) {
    const simulated = engine.name === "embedded";
    return { asked, end: { kind: "answered", usage, simulated, outputText: text } };
  }
  return { asked, end: { kind: "unknown", usage: finished ? usage : null } };
}

/** What an admitted stream runs under, for whoever writes it out. */
export interface StreamHead {
  readonly hold: Hold;
  readonly stage: GenerationStage;
  /** The catalogue model that was asked, and whose price is taken. */
  readonly model: string;
}
