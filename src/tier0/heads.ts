// The model's heads, in the order of its outputs (the same as in tier0/heads.py), and the categories of a
// policy that they score.

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

/** From 0 to 1, on the scale of policies: 0.5 is the flag point (`tier0.ts`). */
export type Scores = Readonly<Record<Head, number>>;

/**
 * The category that a head scores. Negative sentiment and injection are no categories of harm: the first is a
 * category of ours, the second a reason. The model has no head for spam, depicted violence, wrongdoing,
 * minors, or the intent behind a text.
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
 * The score on a policy's scale of a head's block point: the score from which the `default` preset blocks, or
 * 0.9 where it never blocks.
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
