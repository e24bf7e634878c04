import * as v from "valibot";
import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import { hasKnownTokens, type TokenTable } from "../../domain/text/token-table.ts";
import { invalid } from "../../http/field-errors.ts";
import { wholeNumber } from "../field.ts";

// Prompts and inputs as token ids, which clients send that count tokens by themselves (LangChain for
// Python does unless it is told not to). The ids belong to the name of the model that was asked: they
// are decoded for OpenAI's names of one vocabulary, and for no other.

const tokenIds = v.pipe(
  v.array(wholeNumber(0, 4_294_967_295, "A token of cl100k_base.")),
  v.minLength(1),
);

/** The ids of one text. */
export const oneTokenList = tokenIds;

/** The ids of several texts. */
export const tokenLists = (most: number) =>
  v.pipe(v.array(tokenIds), v.minLength(1), v.maxLength(most));

type Input = string | readonly (string | number | readonly number[])[];

/** The lists of ids, one for each text; null: the input is texts. */
export function tokenListsOf(input: Input): readonly (readonly number[])[] | null {
  if (typeof input === "string") return null;
  if (input.every(isId)) return [input];
  return input.every(isList) ? input : null;
}

const isList = (item: unknown): item is readonly number[] => Array.isArray(item);
const isId = (item: unknown): item is number => typeof item === "number";

const isTokenIds = (input: unknown): boolean => {
  const first: unknown = Array.isArray(input) ? input[0] : undefined;
  return typeof first === "number" || (Array.isArray(first) && typeof first[0] === "number");
};

/** The refusal of ids whose vocabulary the model's name does not say; null: there is nothing to refuse. */
export function unknownTokens(
  { model }: { readonly model?: unknown },
  [field, input]: readonly [field: string, input: unknown],
): FieldError | null {
  if (!isTokenIds(input) || typeof model !== "string" || hasKnownTokens(model)) return null;
  return { path: [field], detail: UNKNOWN };
}

const UNKNOWN =
  "must be text: token ids are each model's own, and are decoded only for OpenAI's names with the vocabulary cl100k_base, such as text-embedding-3-small (LangChain sends text with check_embedding_ctx_length=False)";

export type TokenTexts =
  | { readonly kind: "texts"; readonly texts: readonly string[] }
  | Extract<RequestFailure, { kind: "invalid_request" }>;

/**
 * The texts of lists of ids.
 *
 * @param field of the request in which they stand
 * @param mostBytes of all texts in UTF-8
 */
export function decodeTokens(
  table: TokenTable,
  input: Input,
  { field, mostBytes }: { readonly field: string; readonly mostBytes: number },
): TokenTexts {
  const lists = tokenListsOf(input) ?? [];
  const isOne = lists[0] === input;
  const texts: string[] = [];
  let left = mostBytes;
  for (const [at, ids] of lists.entries()) {
    const decoded = table.decode(ids, left);
    const path = isOne ? [field] : [field, at];
    if (decoded.kind === "too_long") {
      return invalid([field], `must decode to at most ${mostBytes} bytes of text`);
    }
    if (decoded.kind === "unknown_token") {
      return invalid([...path, decoded.index], "must be the id of a text token of cl100k_base");
    }
    left -= decoded.bytes;
    texts.push(decoded.text);
  }
  return { kind: "texts", texts };
}
