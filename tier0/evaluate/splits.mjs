import { createHash } from "node:crypto";

// Splits like tier0/corpus.py: the texts held out there are measured here.

/** A number in 0..1 that is always the same for a text. */
export const shareOf = (/** @type {string} */ text) =>
  Number.parseInt(createHash("md5").update(text).digest("hex").slice(0, 8), 16) / 2 ** 32;

export const isHeldOut = (/** @type {string} */ text, share = 0.1) =>
  shareOf(`split${text}`) < share;
