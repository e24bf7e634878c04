import type { Category } from "./category.ts";

// What the text model inside the Worker answers for (docs/tier0.md). It is a rule with a version and
// no call of an engine: it costs nothing.

/** As the model is named in stages: the version of its file and its points (src/tier0/release.ts). */
export const TEXT_MODEL = "neurogate/tier0@1";

/** Of a judge's categories. It has no head for the others, and they stay not evaluated. */
export const TEXT_MODEL_CATEGORIES = [
  "toxicity",
  "harassment",
  "harassment/threatening",
  "hate",
  "self-harm",
  "sexual",
] as const satisfies readonly Category[];

/** From where a head's score is worth a look. */
export const TEXT_MODEL_FLAG = 0.5;

/**
 * What it may show and never rules out: scored where it is seen, else not evaluated. `sexual/minors` is
 * a composite of words for a young person and what is said of them.
 */
export const TEXT_MODEL_SHOWS = ["sexual/minors"] as const satisfies readonly Category[];

/** Any version of it: verdicts of an older one are replayed too. */
export const isTextModel = (model: string | null): boolean =>
  model?.startsWith("neurogate/tier0@") === true;
