import { OUTPUT_OVERLAP_TOKENS, OUTPUT_WINDOW_TOKENS } from "./guard.ts";
import { cleanForJudge, judgedJson } from "./judge.ts";
import { splitText } from "./text-window.ts";
import { tokensAtMost } from "../generation/token-bound.ts";

// Gathers a text that arrives in pieces into windows to be judged. The gathered text is held back: each
// window names its new part, which is passed on after the window was judged.

export interface OutputWindow {
  /** From 0. */
  readonly index: number;
  /** The text to judge: the end of the window before, so that no seam cuts a phrase, and `fresh`. */
  readonly text: string;
  /** The part that may be passed on after this window was judged. */
  readonly fresh: string;
}

export interface WindowGatherer {
  /** @returns the windows that are full now, in order */
  push(piece: string): readonly OutputWindow[];
  /** @returns the last window; null when nothing is held back */
  end(): OutputWindow | null;
}

/** Longer than a term or an insult with the words around it. */
const CARRIED_CHARS = 64;

/** Measured in the form in which the judge is shown it. */
const judgedTokens = (text: string): number => tokensAtMost(judgedJson(cleanForJudge(text)));

export function gatherWindows(): WindowGatherer {
  let carried = "";
  let fresh = "";
  /** Of the gathered text; never less than a measure of it as a whole. */
  let tokens = 0;
  let index = 0;

  function cut(text: string): OutputWindow {
    const window = { index, text, fresh: text.slice(carried.length) };
    index += 1;
    fresh = fresh.slice(window.fresh.length);
    carried = tailOf(text);
    tokens = judgedTokens(carried + fresh);
    return window;
  }

  return {
    push(piece) {
      fresh += piece;
      tokens += judgedTokens(piece);
      const windows: OutputWindow[] = [];
      while (tokens > OUTPUT_WINDOW_TOKENS) {
        const whole = carried + fresh;
        const one = { tokens: OUTPUT_WINDOW_TOKENS, overlap: 0, windows: 1 };
        const text = splitText(whole, one, judgedTokens).windows[0]?.text ?? whole;
        // The pieces measured one by one had more tokens than the whole.
        if (text.length >= whole.length) tokens = judgedTokens(whole);
        else windows.push(cut(text));
      }
      return windows;
    },
    end: () => (fresh === "" ? null : cut(carried + fresh)),
  };
}

/**
 * Few tokens, since some characters have many, and only whole characters: half a surrogate pair is no text.
 */
function tailOf(text: string): string {
  let tail = wholeFrom(text.slice(-CARRIED_CHARS));
  while (judgedTokens(tail) > OUTPUT_OVERLAP_TOKENS) {
    tail = wholeFrom(tail.slice(Math.ceil(tail.length / 2)));
  }
  return tail;
}

function wholeFrom(text: string): string {
  const first = text.charCodeAt(0);
  return first >= 0xdc00 && first <= 0xdfff ? text.slice(1) : text;
}
