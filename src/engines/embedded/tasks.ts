import type { Generators } from "../inference.ts";
import { hashedVector, HASHING_MODEL } from "./embedding.ts";
import { NEGATIVITY_MODEL, sentimentOf } from "./negativity.ts";

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const RERANKER = "@cf/baai/bge-reranker-base";

/** As many as bge-base has: enough for the words of a paragraph to collide seldom. */
const DIMENSIONS = 768;

/** Characters of a text that are read: the model that this stands in for reads 512 tokens. */
const READ_CHARS = 4096;

/**
 * The small tasks that can be done by word lists and hashing. Recognition of pictures and translation
 * cannot: they are absent, and so `unsupported`.
 */
export const EMBEDDED_TASKS: Generators = {
  async classification(_hold, { model, text }) {
    if (model !== DISTILBERT) return { kind: "unsupported" };
    const { negative, positive } = sentimentOf(text.slice(0, READ_CHARS));
    // Unlike the model's, they do not add up to 1: a text without rated words is neither.
    const labels = [
      { name: "POSITIVE", score: positive },
      { name: "NEGATIVE", score: negative },
    ].toSorted((a, b) => b.score - a.score);
    return { kind: "answered", model: NEGATIVITY_MODEL, output: { labels }, usage: null };
  },

  async reranking(_hold, { model, query, contexts, topK }) {
    if (model !== RERANKER) return { kind: "unsupported" };
    const wanted = hashedVector(query, DIMENSIONS);
    const ranks = contexts
      .map((text, context) => ({ context, score: cosine(wanted, hashedVector(text, DIMENSIONS)) }))
      .toSorted((a, b) => b.score - a.score)
      .slice(0, topK ?? contexts.length);
    return { kind: "answered", model: HASHING_MODEL, output: { ranks }, usage: null };
  },
};

/** The cosine of two vectors of unit length. */
const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, at) => total + value * (b[at] ?? 0), 0);
