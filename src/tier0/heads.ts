// What the model answers, in the order of its outputs (tier0/heads.py has the same), and how a
// policy names it.

export const HEADS = [
  "toxicity",
  "hate",
  "insult",
  "threat",
  "sexual",
  "self_harm",
  "negativity",
  "injection",
] as const;

export type Head = (typeof HEADS)[number];

/** Of 0 to 1, a policy's own scale: 0.5 is the shipped flag point (`points.ts`). */
export type Scores = Readonly<Record<Head, number>>;

/**
 * The category that a head scores. Negative sentiment and injection are no categories of harm: the
 * one is a category of ours, the other a reason. The model has no head for spam, depicted violence,
 * wrongdoing, minors, or the intent behind a text.
 */
export const CATEGORY_OF: Readonly<Record<Head, string>> = {
  toxicity: "toxicity",
  hate: "hate",
  insult: "harassment",
  threat: "harassment/threatening",
  sexual: "sexual",
  self_harm: "self-harm",
  negativity: "negativity",
  injection: "injection",
};

/**
 * Where a head's block point stands on a policy's scale: what the `default` preset blocks at, and 0.9
 * where it never blocks.
 */
export const BLOCK_AT: Readonly<Record<Head, number>> = {
  toxicity: 0.7,
  hate: 0.8,
  insult: 0.9,
  threat: 0.8,
  sexual: 0.9,
  self_harm: 0.9,
  negativity: 0.9,
  injection: 0.9,
};
