import type { Model } from "../domain/catalogue/catalogue.ts";
import {
  type Counted,
  countedLength,
  type SoundMeasure,
  spoken,
} from "../domain/generation/sound-usage.ts";
import type { Inferences, Outputs } from "../engines/inference.ts";

/** The measure of a text that is to be spoken. */
export const speechMeasure = (text: string): Extract<SoundMeasure, { kind: "speech" }> => ({
  kind: "speech",
  characters: text.length,
  bytes: new TextEncoder().encode(text).byteLength,
});

/**
 * The usage of an answered call that we count ourselves, with any engine: the recording that was transcribed,
 * or the speech that was made. Null for other kinds, and when it cannot be counted.
 */
export function countedUsage(
  model: Model,
  inference: Inferences[keyof Inferences],
  output: Outputs[keyof Outputs],
): Counted | null {
  if ("length" in inference) return countedLength(inference.length);
  if (!("voice" in inference) || !("contentType" in output)) return null;
  return spoken(model, speechMeasure(inference.text), output.length);
}
