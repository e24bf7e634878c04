import type { Model } from "../catalogue/catalogue.ts";
import { normalBytesAtMost, utf8Bytes } from "../text/normal-bytes.ts";

// How many tokens a call can use at most, without a tokenizer.
//
// Every vocabulary of the catalogue falls back to bytes or to single characters, so each token stands for
// at least one UTF-8 byte of the tokenized text. Tokenizers read the text itself, or its NFKC form if they
// normalise first (SentencePiece); either can be the longer one.

/**
 * Tokens of a text at most: the UTF-8 bytes of the longer of the text and its NFKC form. U+FDFA, 3
 * bytes, becomes 18 characters of 33 bytes. The model's bounds add special tokens.
 */
export function tokensAtMost(text: string): number {
  const bytes = utf8Bytes(text);
  if (bytes === text.length) return bytes; // ASCII is its own NFKC form.
  return Math.max(bytes, normalBytesAtMost(text));
}

/** The measures of a conversation. */
export interface ChatMeasure {
  /** `tokensAtMost`, summed over all texts: contents, names, tool calls, tool declarations. */
  readonly textTokens: number;
  readonly messages: number;
  readonly images: number;
  /** How many tools are declared. Their text, as indented JSON, belongs to `textTokens`. */
  readonly tools?: number;
}

/** Whether the tokens of a picture have a bound for this model; if not, the call is `unbounded_usage`. */
export const takesPictures = (model: Model): boolean => model.bounds.imageTokens !== null;

/**
 * Input tokens of a chat call at most; never more than the context window, where it is published.
 *
 * @throws RangeError for pictures where `takesPictures` is false.
 */
export function chatInputBound(model: Model, measure: ChatMeasure): number {
  const { textTokens, messages, images, tools = 0 } = measure;
  const { templateTokens, messageTokens, toolTokens, imageTokens } = model.bounds;
  if (images > 0 && imageTokens === null) {
    throw new RangeError(`pictures have no bound for ${model.id}`);
  }
  const tokens =
    textTokens +
    templateTokens +
    messageTokens * (messages + tools) +
    (tools > 0 ? toolTokens : 0) +
    (imageTokens ?? 0) * images;
  return Math.min(tokens, model.contextTokens ?? tokens);
}

/** Input tokens of one call of a classifier at most, of a text (or a window of one) of `tokens`. */
export function classifierInputBound(model: Model, tokens: number): number {
  const bound = tokens + model.bounds.specialTokens;
  return Math.min(bound, model.bounds.maxInputTokens ?? model.contextTokens ?? bound);
}

/**
 * The estimate that is charged where a reply carries no usage: half of the bound, rounded up. English
 * has about four bytes a token and most other scripts two or more, so it errs on the high side.
 * An example: 43 bytes and 2 special tokens are 45, so 23 tokens.
 */
export const estimateInputTokens = (bound: number): number => Math.ceil(bound / 2);
