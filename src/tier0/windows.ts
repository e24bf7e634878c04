// A long text is read in overlapping windows, and each head takes its highest score of them. If there are
// many windows, the net reads only those that the quick scorer ranks highest, for each head in turn: if only
// one head ranked them, a page of swear words would hide a threat.
import { HEADS } from "./heads.ts";
import { WINDOW } from "./net.ts";

export interface Window {
  readonly from: number;
  readonly to: number;
}

const STEP = 48;

/** The most windows of one text that the net reads. */
export const MOST_WINDOWS = 16;

export function windowsOf(tokens: number): Window[] {
  const windows: Window[] = [];
  for (let from = 0; from < tokens; from += STEP) {
    windows.push({ from, to: Math.min(tokens, from + WINDOW) });
    if (from + WINDOW >= tokens) break;
  }
  return windows;
}

/** The indexes of the windows to read, by the quick logits of all windows. */
export function worthReading(quick: readonly Float64Array[]): number[] {
  if (quick.length <= MOST_WINDOWS) return [...quick.keys()];
  const rankings = HEADS.map((_, head) =>
    [...quick.keys()].toSorted((a, b) => (quick[b]?.[head] ?? 0) - (quick[a]?.[head] ?? 0)),
  );
  const chosen = new Set<number>();
  for (let place = 0; chosen.size < MOST_WINDOWS; place += 1) {
    for (const ranking of rankings) {
      const window = ranking[place];
      if (window !== undefined && chosen.size < MOST_WINDOWS) chosen.add(window);
    }
  }
  return [...chosen];
}
