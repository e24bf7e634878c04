import type { Model } from "../domain/catalogue/catalogue.ts";
import {
  type Counted,
  countedLength,
  type SoundMeasure,
  spoken,
} from "../domain/generation/sound-usage.ts";
import type { Inferences, Outputs } from "../engines/inference.ts";

/** What is measured of a text that is to be spoken. */
export const speechMeasure = (text: string): Extract<SoundMeasure, { kind: "speech" }> => ({
  kind: "speech",
  characters: text.length,
  bytes: new TextEncoder().encode(text).byteLength,
});

/**
 * What is ours to count of an answered call, whichever engine answered it: what was listened to, what
 * was said. Null for other kinds, and where it cannot be told.
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
