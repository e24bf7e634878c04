import * as v from "valibot";
import type { RequestFailure } from "../../domain/ledger/failure.ts";
import { MOST_TOP_LOGPROBS, type TokenLogprob } from "../../engines/logprobs.ts";
import { wholeNumber } from "../field.ts";

// Log-probabilities in OpenAI's form of a chat. Engines that have none refuse the parameter.

const probability = {
  token: v.string(),
  logprob: v.number(),
  bytes: v.nullable(v.array(v.number())),
};

export const LogprobsOutput = v.nullable(
  v.object({
    content: v.array(v.object({ ...probability, top_logprobs: v.array(v.object(probability)) })),
    refusal: v.null(),
  }),
);

export const topLogprobs = wholeNumber(
  0,
  MOST_TOP_LOGPROBS,
  "How many of the likeliest tokens are given in each place.",
);

/** @param logprobs absent: none were asked for, or the engine gave none */
export const toLogprobs = (
  logprobs: readonly TokenLogprob[] | undefined,
): v.InferOutput<typeof LogprobsOutput> =>
  logprobs === undefined
    ? null
    : {
        content: logprobs.map(({ top, ...token }) => ({
          ...toToken(token),
          top_logprobs: top.map(toToken),
        })),
        refusal: null,
      };

/** As the older completions have them: a list for each part. */
export const TextLogprobsOutput = v.nullable(
  v.object({
    tokens: v.array(v.string()),
    token_logprobs: v.array(v.number()),
    top_logprobs: v.nullable(v.array(v.record(v.string(), v.number()))),
    text_offset: v.pipe(
      v.array(v.number()),
      v.description("Where each token begins in the text, in UTF-16 units."),
    ),
  }),
);

/** @param from how long the text before these tokens is */
export function toTextLogprobs(
  logprobs: readonly TokenLogprob[] | undefined,
  from = 0,
): v.InferOutput<typeof TextLogprobsOutput> {
  if (logprobs === undefined) return null;
  let length = from;
  const offsets = logprobs.map(({ token }) => {
    length += token.length;
    return length - token.length;
  });
  const hasTop = logprobs.some(({ top }) => top.length > 0);
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: hasTop ? logprobs.map(({ top }) => byToken(top)) : null,
    text_offset: offsets,
  };
}

const byToken = (top: TokenLogprob["top"]): Record<string, number> =>
  Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]));

const toToken = ({ token, logprob, bytes }: Omit<TokenLogprob, "top">) => ({
  token,
  logprob,
  bytes: bytes === null ? null : [...bytes],
});

/** Entries of a whole answer: a reply of 4 MiB holds them. A stream has no such bound. */
const MOST_ENTRIES = 32_768;

/** Of all answers of a call, which are in memory at once: as many as eight of the longest have. */
const MOST_ENTRIES_OF_CALL = 8 * MOST_ENTRIES;

/** Null: the engine's reply will hold what is asked for. */
export function tooManyLogprobs(asked: {
  readonly top: number;
  readonly maxTokens: number | null;
  readonly stream: boolean;
  /** Absent: few enough. */
  readonly answers?: number;
}): Extract<RequestFailure, { kind: "invalid_request" }> | null {
  const { answers = 1 } = asked;
  const entries = (asked.maxTokens ?? 0) * (1 + asked.top);
  const most = Math.min(MOST_ENTRIES, Math.floor(MOST_ENTRIES_OF_CALL / answers));
  if (asked.stream || entries <= most) return null;
  const among = answers > 8 ? ` with ${answers} answers` : "";
  const detail = `must be absent, or smaller: max_tokens times (1 + top_logprobs) is at most ${most}${among} without stream: true`;
  return { kind: "invalid_request", errors: [{ path: ["logprobs"], detail }] };
}
