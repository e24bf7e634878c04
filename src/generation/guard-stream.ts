import type { CallEvent, CallEvents, ChoiceEvent } from "./call-events.ts";
import type { ChatGuard } from "./chat-guard.ts";
import {
  gatherWindows,
  type OutputWindow,
  type WindowGatherer,
} from "../domain/moderation/guard.ts";

// The guard of a stream holds text back until its window was judged. When a window is withheld, the answer
// ends with `content_filter`. The engine's stream is still read to its end, since only its end reports the
// usage; the rest is not shown.

/** A waiting event, with its text to judge. */
interface Waiting {
  readonly event: ChoiceEvent;
  readonly text: string;
}

class GuardedChoice {
  readonly #guard: ChatGuard;
  readonly #index: number;
  readonly #windows: WindowGatherer = gatherWindows();
  #waiting: Waiting[] = [];
  /** Characters of the first waiting event that have already passed. */
  #passed = 0;
  #withheld = false;

  constructor(guard: ChatGuard, index: number) {
    this.#guard = guard;
    this.#index = index;
  }

  /** @returns the events that the caller may receive now */
  async take(event: ChoiceEvent): Promise<readonly ChoiceEvent[]> {
    if (this.#withheld) return [];
    if (event.kind !== "finish") {
      const text = textOf(event);
      this.#waiting.push({ event, text });
      return this.#judge(this.#windows.push(text));
    }
    const rest = this.#windows.end();
    const last = await this.#judge(rest === null ? [] : [rest]);
    return this.#isWithheld() ? last : [...last, event];
  }

  // A method, since TypeScript would not see that `#judge` changes the field.
  #isWithheld(): boolean {
    return this.#withheld;
  }

  async #judge(windows: readonly OutputWindow[]): Promise<readonly ChoiceEvent[]> {
    const passed: ChoiceEvent[] = [];
    for (const window of windows) {
      // oxlint-disable-next-line no-await-in-loop -- windows are judged in order
      if (await this.#guard.window(this.#index, window)) {
        this.#withheld = true;
        this.#waiting = [];
        return [...passed, FILTERED];
      }
      passed.push(...this.#release(window.fresh.length));
    }
    return passed;
  }

  /** Lets `characters` more pass: whole events, and of a text event the judged part. */
  #release(characters: number): readonly ChoiceEvent[] {
    const released: ChoiceEvent[] = [];
    let left = characters;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined) return released;
      const open = next.text.length - this.#passed;
      if (open > left) {
        if (!isText(next.event)) {
          this.#passed += left;
          return released;
        }
        const text = next.text.slice(this.#passed, this.#passed + left);
        if (text !== "") released.push({ ...next.event, text });
        this.#passed += left;
        return released;
      }
      left -= open;
      released.push(
        isText(next.event) ? { ...next.event, text: next.text.slice(this.#passed) } : next.event,
      );
      this.#waiting.shift();
      this.#passed = 0;
    }
  }
}

const FILTERED: ChoiceEvent = { kind: "finish", reason: "content_filter" };

type TextEvent = Extract<ChoiceEvent, { readonly text: string }>;

const isText = (event: ChoiceEvent): event is TextEvent => "text" in event;

/** The arguments of a tool call are text of the model too. */
function textOf(event: Exclude<ChoiceEvent, { kind: "finish" }>): string {
  if (isText(event)) return event.text;
  return event.deltas.map(({ name = "", arguments: given = "" }) => `${name}${given}`).join("");
}

export async function* guardStream(guard: ChatGuard, events: CallEvents): CallEvents {
  const choices = new Map<number, GuardedChoice>();
  for await (const event of events) {
    if (event.kind === "closed") {
      yield guardedClose(guard, event);
      continue;
    }
    const { index } = event;
    const choice = choices.get(index) ?? new GuardedChoice(guard, index);
    choices.set(index, choice);
    for (const passed of await choice.take(event.event)) {
      yield { kind: "choice", index, event: passed };
    }
  }
}

/** Adds the guard's items after the generation's own, and its results. */
export const guardedClose = (
  guard: ChatGuard,
  closed: Extract<CallEvent, { kind: "closed" }>,
): CallEvent => ({
  ...closed,
  items: [...closed.items, ...guard.items()],
  guard: guard.results(),
});

/** The stream of a withheld prompt: each answer ends before it begins. */
export async function* withheldStream(
  guard: ChatGuard,
  choices: number,
  closed: Extract<CallEvent, { kind: "closed" }>,
): CallEvents {
  for (let index = 0; index < choices; index += 1) {
    yield { kind: "choice", index, event: FILTERED };
  }
  yield guardedClose(guard, closed);
}
