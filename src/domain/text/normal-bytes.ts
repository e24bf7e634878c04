import { LONGEST_RUN, MARK } from "./normal-form.ts";

// How long a text is in UTF-8 when a tokenizer has normalised it (NFKC), without normalising more of it
// than must be. U+FDFA, three bytes, becomes eighteen characters of 33; and marks are sorted, in time
// that grows with the square of their run. A body of 2 MB of either took half a second.
//
// A character that joins with nothing before it has a length of its own, which is kept once it is
// known. What may join is normalised piece by piece.

/** Vowels and finals of Hangul, also as single letters and in half width: they join what is before. */
const HANGUL_PART = /[\u{1160}-\u{11FF}\u{3130}-\u{318F}\u{FFA0}-\u{FFDC}]/u;

/** Units of a piece at least; it ends before a character that joins with nothing. */
const PIECE_UNITS = 4096;

/** No character that is taken apart (NFKD) has more bytes than so many times its NFKC form. */
const MOST_APART = 3;

const PAGE = 256;
const BYTES = 0x3f;
const JOINING = 0x40;
const IS_MARK = 0x80;

/** By code point: bytes of its NFKC form, and how it joins; 0 is not known yet. 1.1 MB at most. */
const KNOWN: (Uint8Array | undefined)[] = [];

function known(code: number): number {
  const page = (KNOWN[code >> 8] ??= new Uint8Array(PAGE));
  return (page[code & 0xff] ||= looked(code));
}

function looked(code: number): number {
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
    // A pair is 4 bytes: 3 are counted here, 1 is its second half in `length`, which is passed over.
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1))) at += 1;
  }
  return bytes;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/**
 * UTF-8 bytes of the NFKC form of a text. It is exact, but for what no language writes: a piece with
 * more than 30 marks on a letter counts as if all of it were taken apart, which is more.
 */
export function normalBytesAtMost(text: string): number {
  let bytes = 0;
  let piece = newPiece(0);
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at) ?? 0;
    const look = known(code);
    if (look < JOINING && at - piece.start >= PIECE_UNITS) {
      bytes += bytesOf(piece, text, at);
      piece = newPiece(at);
    }
    piece.alone += look & BYTES;
    if (look >= JOINING) piece.joins = true;
    piece.run = look >= IS_MARK ? piece.run + 1 : 0;
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
  /** Marks that the part which was read ends with. */
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
