// Where an engine has no field for `stop`, its text is cut here, at the first sequence that comes.

export const stopsOf = (stop: unknown): readonly string[] =>
  [stop].flat().filter((text): text is string => typeof text === "string" && text !== "");

/** The text before the first of the sequences, as OpenAI gives it. */
export function cutAtStop(
  text: string,
  stop: unknown,
): { readonly text: string; readonly stopped: boolean } {
  const found = stopsOf(stop)
    .map((sequence) => text.indexOf(sequence))
    .filter((at) => at !== -1);
  return found.length === 0
    ? { text, stopped: false }
    : { text: text.slice(0, Math.min(...found)), stopped: true };
}
