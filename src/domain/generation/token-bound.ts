import type { Model } from "../catalogue/catalogue.ts";
import { LONGEST_RUN, MARK } from "../text/normal-form.ts";

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

// The UTF-8 length of a text after a tokenizer's normalisation (NFKC), with as little normalisation as
// possible. U+FDFA, three bytes, becomes eighteen characters of 33 bytes, and marks are sorted in time that
// grows with the square of their run: a body of 2 MB of either took half a second.
//
// A character that does not join with the one before has a length of its own, which is remembered. Characters
// that may join are normalised piece by piece.

/**
 * Vowels and finals of Hangul, also as single letters and in half width: they join with the character before.
 */
const HANGUL_PART = /[\u{1160}-\u{11FF}\u{3130}-\u{318F}\u{FFA0}-\u{FFDC}]/u;

/** The least units of a piece; it ends before a character that does not join. */
const PIECE_UNITS = 4096;

/** A character's decomposition (NFKD) has at most this many times the bytes of its NFKC form. */
const MOST_APART = 3;

const PAGE = 256;
const BYTES = 0x3f;
const JOINING = 0x40;
const IS_MARK = 0x80;

/** By code point: the bytes of its NFKC form and whether it joins; 0: not known yet. 1.1 MB at most. */
const KNOWN: (Uint8Array | undefined)[] = [];

function known(code: number): number {
  const page = (KNOWN[code >> 8] ??= new Uint8Array(PAGE));
  return (page[code & 0xff] ||= measured(code));
}

function measured(code: number): number {
  const character = String.fromCodePoint(code);
  const bytes = utf8Bytes(character.normalize("NFKC"));
  if (MARK.test(character)) return bytes | JOINING | IS_MARK;
  return HANGUL_PART.test(character) ? bytes | JOINING : bytes;
}

/** The UTF-8 bytes of a text, without encoding it. A lone surrogate counts as U+FFFD: 3 bytes. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair has 4 bytes: 3 are counted here, and 1 is its second half in `length`, which is skipped.
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1))) at += 1;
  }
  return bytes;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/**
 * An upper bound of the UTF-8 bytes of a text's NFKC form. It is exact for all real languages: only a piece
 * with more than 30 marks on a letter counts as if it were fully decomposed, which is more.
 */
export function normalBytesAtMost(text: string): number {
  let bytes = 0;
  let piece = newPiece(0);
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at) ?? 0;
    const entry = known(code);
    if (entry < JOINING && at - piece.start >= PIECE_UNITS) {
      bytes += bytesOf(piece, text, at);
      piece = newPiece(at);
    }
    piece.alone += entry & BYTES;
    if (entry >= JOINING) piece.joins = true;
    piece.run = entry >= IS_MARK ? piece.run + 1 : 0;
    if (piece.run > LONGEST_RUN) piece.isNoLanguage = true;
    at += code > 0xffff ? 2 : 1;
  }
  return bytes + bytesOf(piece, text, text.length);
}

interface Piece {
  readonly start: number;
  /** Bytes of its characters, each normalised by itself. */
  alone: number;
  joins: boolean;
  /** The number of marks at the end of the part that was read. */
  run: number;
  isNoLanguage: boolean;
}

const newPiece = (start: number): Piece => ({
  start,
  alone: 0,
  joins: false,
  run: 0,
  isNoLanguage: false,
});

function bytesOf({ start, alone, joins, isNoLanguage }: Piece, text: string, end: number): number {
  if (!joins) return alone;
  if (isNoLanguage) return MOST_APART * alone;
  return utf8Bytes(text.slice(start, end).normalize("NFKC"));
}
