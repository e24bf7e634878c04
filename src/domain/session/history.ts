import { utf8Bytes } from "../generation/token-bound.ts";

// The history of a session: turns, each from what the user says to the answer that ends it. A turn in which
// the model calls tools has several steps, and is kept or dropped whole: a tool call never stands without its
// result, nor a result without its call.

/** A message in OpenAI's form, as far as a history looks into it. */
export interface Spoken {
  readonly role: string;
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly tool_call_id?: string;
}

export type ToolCalls =
  /** The calls that wait for their results after these messages. */
  | { readonly kind: "open"; readonly ids: readonly string[] }
  /** `at` is the index of the first message that does not fit. */
  | { readonly kind: "wrong"; readonly at: number; readonly detail: string };

/** @param before the calls that wait for their results before these messages */
export function openToolCalls(
  messages: readonly Spoken[],
  before: readonly string[] = [],
): ToolCalls {
  let open = before;
  for (const [at, { role, tool_calls: calls = [], tool_call_id: id }] of messages.entries()) {
    if (role !== "tool") {
      if (open.length > 0) return { kind: "wrong", at, detail: unanswered(open) };
      open = calls.map((call) => call.id);
      continue;
    }
    if (id === undefined || !open.includes(id)) {
      return { kind: "wrong", at, detail: "is the result of no tool call that waits for one" };
    }
    open = open.filter((one) => one !== id);
  }
  return { kind: "open", ids: open };
}

const SHOWN_CALLS = 8;

/** The ids are the session's own: who reads this may read them there too. */
export const unanswered = (ids: readonly string[]): string => {
  const more = ids.length > SHOWN_CALLS ? ` and ${ids.length - SHOWN_CALLS} more` : "";
  return `must bring the results of the tool calls first (${ids.slice(0, SHOWN_CALLS).join(", ")}${more})`;
};

/** Whether these messages continue the last turn, rather than begin one. */
export const continuesTurn = (messages: readonly Spoken[]): boolean => messages[0]?.role === "tool";

/** UTF-8 bytes of the JSON of a turn's messages. The request that begins it has 1 MB. */
const MAX_TURN_BYTES = 4 * 1_048_576;

const MAX_TURN_MESSAGES = 1000;

/**
 * Why a turn cannot go on with these messages; null: it can. The answer to them comes on top.
 *
 * @param turn its messages so far
 */
export function turnTooLong(turn: readonly Spoken[], more: readonly Spoken[]): string | null {
  const all = [...turn, ...more];
  const bytes = all.reduce((total, one) => total + utf8Bytes(JSON.stringify(one)), 0);
  if (bytes <= MAX_TURN_BYTES && all.length <= MAX_TURN_MESSAGES) return null;
  return `would make the turn ${bytes} bytes of JSON in ${all.length} messages. A turn that goes on by results of tools has at most ${MAX_TURN_BYTES} bytes and ${MAX_TURN_MESSAGES} messages: send shorter results, or go on in another session`;
}

/**
 * The last turns that fit; the oldest are dropped first, each whole.
 *
 * @param turns the oldest first
 * @param limits `fits`: whether these turns can be sent, true for fewer of them if for more. `least`: so many
 *   of the last turns are kept in any case
 */
export function lastTurns<Turn>(
  turns: readonly Turn[],
  limits: {
    readonly maxTurns: number;
    readonly least: number;
    readonly fits: (kept: readonly Turn[]) => boolean;
  },
): readonly Turn[] {
  const { maxTurns, least, fits } = limits;
  let kept = turns.slice(Math.max(0, turns.length - Math.max(maxTurns, least)));
  while (kept.length > least && !fits(kept)) kept = kept.slice(1);
  return kept;
}
