import { field } from "./engine-call.ts";

// Log-probabilities of an answer's tokens, as OpenAI-compatible servers report them beside a choice.

/** A token and its natural logarithm of probability. */
export interface TokenProbability {
  readonly token: string;
  readonly logprob: number;
  /** The token's UTF-8; a character may be in several tokens. Null: the engine does not tell it. */
  readonly bytes: readonly number[] | null;
}

/** A token of the answer, and the likeliest ones in its place. */
export interface TokenLogprob extends TokenProbability {
  readonly top: readonly TokenProbability[];
}

/** OpenAI's own limit. */
export const MOST_TOP_LOGPROBS = 20;

/** The log-probabilities of a choice, or of a piece of one; empty: it has none that can be read. */
export function logprobsIn(choice: unknown): readonly TokenLogprob[] {
  const content = field(field(choice, "logprobs"), "content");
  if (!Array.isArray(content)) return [];
  const tokens = content.map(toLogprob);
  // Of a part of the tokens nobody could tell where it belongs.
  return tokens.every((token) => token !== null) ? tokens : [];
}

function toLogprob(value: unknown): TokenLogprob | null {
  const own = toProbability(value);
  const given = field(value, "top_logprobs") ?? [];
  if (own === null || !Array.isArray(given)) return null;
  const top = given.slice(0, MOST_TOP_LOGPROBS).map(toProbability);
  return top.every((token) => token !== null) ? { ...own, top } : null;
}

function toProbability(value: unknown): TokenProbability | null {
  const token = field(value, "token");
  const logprob = field(value, "logprob");
  if (typeof token !== "string" || typeof logprob !== "number") return null;
  const bytes = field(value, "bytes");
  return { token, logprob, bytes: Array.isArray(bytes) && bytes.every(isByte) ? bytes : null };
}

const isByte = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 256;
