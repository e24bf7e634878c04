// A long text is read in windows that overlap, and each head takes the highest of them. From a number
// of windows on the net reads those only that the quick scorer ranks highest, for each head by turns:
// were they ranked by one head, a page of swear words would hide a threat.
import { HEADS } from "./heads.ts";
import { WINDOW } from "./net.ts";

export interface Window {
  readonly from: number;
  readonly to: number;
}

const STEP = 48;

/** Windows that the net reads of one text. */
export const MOST_WINDOWS = 16;

export function windowsOf(tokens: number): Window[] {
  const windows: Window[] = [];
  for (let from = 0; from < tokens; from += STEP) {
    windows.push({ from, to: Math.min(tokens, from + WINDOW) });
    if (from + WINDOW >= tokens) break;
  }
  return windows;
}

/** The places of the windows to read, of all whose quick logits are given. */
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
