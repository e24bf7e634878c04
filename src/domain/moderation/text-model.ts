import type { Category } from "./category.ts";

// What the text model inside the Worker scores (docs/tier0.md). It is a versioned rule and no engine call, so
// it costs nothing.

/** The model's name in stages: the version of its file and its points (src/tier0/release.ts). */
export const TEXT_MODEL = "neurogate/tier0@1";

/** The judge's categories that it scores. It has no head for the others, which stay not evaluated. */
export const TEXT_MODEL_CATEGORIES = [
  "toxicity",
  "harassment",
  "harassment/threatening",
  "hate",
  "self-harm",
  "sexual",
] as const satisfies readonly Category[];

/** The score from which a head deserves a look. */
export const TEXT_MODEL_FLAG = 0.5;

/**
 * Categories that it may show but never rule out: scored where it sees them, else not evaluated.
 * `sexual/minors` combines words for a young person with what is said about them.
 */
export const TEXT_MODEL_SHOWS = ["sexual/minors"] as const satisfies readonly Category[];

/** Any version: verdicts of older ones are replayed too. */
export const isTextModel = (model: string | null): boolean =>
  model?.startsWith("neurogate/tier0@") === true;
