import { utf8Bytes } from "../generation/token-bound.ts";

// Cuts a text into the passages that are embedded: whole sentences, with the last ones of a passage again at
// the start of the next, so that what two sentences say together is found by either passage.

/** A passage of a text, in UTF-16 units; `end` is the place after its last unit. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/**
 * UTF-8 bytes of a passage at most. That is about 300 tokens of English and 400 of Chinese, so that a
 * question and a passage fit the 512 tokens of the smallest reranker.
 */
export const MOST_CHUNK_BYTES = 1200;

/** UTF-8 bytes of a passage that stand in the passage before it too, at most. */
export const OVERLAP_BYTES = 200;

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

/** What has none of these is a blank or a rule between paragraphs: nobody searches for it. */
const WORDY = /[\p{L}\p{N}]/u;

/** A piece of a text that is never divided between two passages. */
interface Piece extends Chunk {
  readonly bytes: number;
  readonly isWordy: boolean;
}

/**
 * The passages in order. Each letter and digit of the text is in at least one of them, both ends of the
 * passages only grow, and none divides a character.
 */
export function chunkText(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let pieces: Piece[] = [];
  let bytes = 0;
  let hasNews = false;
  for (const piece of piecesOf(text)) {
    if (bytes + piece.bytes > MOST_CHUNK_BYTES) {
      if (hasNews) chunks.push(trimmed(text, pieces));
      pieces = overlapOf(pieces, MOST_CHUNK_BYTES - piece.bytes);
      bytes = pieces.reduce((total, one) => total + one.bytes, 0);
      hasNews = false;
    }
    // A passage begins with a word.
    if (pieces.length === 0 && !piece.isWordy) continue;
    pieces.push(piece);
    bytes += piece.bytes;
    hasNews ||= piece.isWordy;
  }
  if (hasNews) chunks.push(trimmed(text, pieces));
  return chunks;
}

/** The last pieces of a passage that are repeated in the next one, which has room for so many bytes. */
function overlapOf(pieces: readonly Piece[], room: number): Piece[] {
  const most = Math.min(OVERLAP_BYTES, room);
  let from = pieces.length;
  let bytes = 0;
  // The first piece is never repeated: each passage starts later than the one before.
  while (from > 1) {
    bytes += pieces[from - 1]?.bytes ?? 0;
    if (bytes > most) break;
    from -= 1;
  }
  const repeated = pieces.slice(from);
  const wordy = repeated.findIndex(({ isWordy }) => isWordy);
  return wordy === -1 ? [] : repeated.slice(wordy);
}

/** Without the blanks at its ends. */
function trimmed(text: string, pieces: readonly Piece[]): Chunk {
  const { start = 0 } = pieces[0] ?? {};
  const whole = text.slice(start, pieces.at(-1)?.end);
  const from = start + whole.length - whole.trimStart().length;
  return { start: from, end: from + whole.trim().length };
}

/** Sentences; one that is longer than a passage in parts. */
function* piecesOf(text: string): Generator<Piece> {
  for (const { segment, index } of SEGMENTER.segment(text)) {
    yield* partsOf(text, index, index + segment.length);
  }
}

function* partsOf(text: string, start: number, end: number): Generator<Piece> {
  let from = start;
  while (from < end) {
    const to = partEnd(text, from, end);
    const part = text.slice(from, to);
    yield { start: from, end: to, bytes: utf8Bytes(part), isWordy: WORDY.test(part) };
    from = to;
  }
}

/** The end of the longest part that fits a passage, after a blank where there is one in its second half. */
function partEnd(text: string, from: number, end: number): number {
  // A UTF-16 unit has at least one byte.
  const most = Math.min(end, from + MOST_CHUNK_BYTES);
  if (utf8Bytes(text.slice(from, most)) <= MOST_CHUNK_BYTES) {
    return most === end ? end : wordEnd(text, from, wholeAt(text, most));
  }
  let fits = from + 1;
  let exceeds = most;
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    if (utf8Bytes(text.slice(from, middle)) <= MOST_CHUNK_BYTES) fits = middle;
    else exceeds = middle;
  }
  return wordEnd(text, from, wholeAt(text, fits));
}

/** A place that divides no pair of surrogates. */
const wholeAt = (text: string, at: number): number =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at))
    ? at - 1
    : at;

function wordEnd(text: string, from: number, to: number): number {
  const half = from + Math.floor((to - from) / 2);
  for (let at = to; at > half; at -= 1) {
    if (/\s/.test(text.charAt(at - 1))) return at;
  }
  return to;
}
