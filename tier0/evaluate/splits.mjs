import { createHash } from "node:crypto";

// As tier0/corpus.py splits: what is held out there is what is measured here.

/** A number in 0..1 that is always the same for a text. */
export const shareOf = (/** @type {string} */ text) =>
  Number.parseInt(createHash("md5").update(text).digest("hex").slice(0, 8), 16) / 2 ** 32;

export const isHeldOut = (/** @type {string} */ text, share = 0.1) =>
  shareOf(`split${text}`) < share;
