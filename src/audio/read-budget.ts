// How much of a recording its readers look at. Recordings come from callers, before anything is
// admitted, and a container can hold an element in two bytes. So the readers of all formats count their
// work and stop at these limits. A recording beyond them has no length here, and is refused.

/**
 * Elements, pages, chunks, and places where a frame could begin. One for each 20 bytes of the largest
 * recording (25 MB): speech at 6 kbit/s in packets of 20 ms, each in an element of its own, has fewer.
 */
export const MAX_STEPS = 1_310_720;

/** Packets whose sizes are in a table (Ogg's lacing, MP4's): each takes a tenth of a step. */
export const PACKETS_A_STEP = 10;

/** A film has a picture, some languages and subtitles. */
export const MAX_TRACKS = 32;

/** Recordings of a radio begin a new Ogg stream with each title. */
export const MAX_STREAMS = 256;

/** Levels of elements or boxes: the deepest that matters here is the sixth (`stsd` in MP4). */
export const MAX_DEPTH = 16;

/** MP4 has its samples in tables: a fragment of a second has about ten boxes. */
export const MAX_BOXES = 100_000;

/** WAV has a format, its data, and some chunks of names and marks. */
export const MAX_CHUNKS = 1000;

/** The steps that are left; one budget for each recording. Tests read it. */
export interface ReadBudget {
  steps: number;
}

export const newReadBudget = (): ReadBudget => ({ steps: MAX_STEPS });

/** Takes so many steps; false: there were not so many left. */
export function spend(budget: ReadBudget, steps = 1): boolean {
  budget.steps -= steps;
  return budget.steps >= 0;
}
