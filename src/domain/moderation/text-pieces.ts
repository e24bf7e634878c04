// A text in its sentences, each plain, for a second look at each: ten friendly sentences around one
// insult hide it from a small model that reads them together, and whoever talks a judge round writes
// such sentences.

/** The first and the last of them are looked at, each once: it takes a third of a millisecond. */
export const MOST_PIECES = 48;

/** A longer one is read in windows all the same. */
const MOST_UNITS = 600;

/** Tags, the quotes and braces between the fields of JSON, and those of a program's strings. */
const FRAMES =
  /<[^<>]{1,80}>|"\s{0,4}[:,]\s{0,4}"|"\s{0,4}[}\]]|[{[]\s{0,4}"|[=(]\s{0,4}["'`]|["'`]\s{0,4}[;)]/gu;

/** What stands in the place of a space. */
const SPACES = /(?:_|[^\S\n]|[\p{Extended_Pictographic}\u{FE0F}])+/gu;

/** None where the text is one plain sentence: it was read as that already. */
export function piecesOf(text: string): string[] {
  const all = text
    .replace(/\r\n?/g, "\n")
    .replaceAll(FRAMES, "\n")
    .replaceAll(SPACES, " ")
    .split(/(?<=[.!?:;])\s+|\n+/u)
    .map((piece) => piece.trim().slice(0, MOST_UNITS))
    .filter((piece) => piece.length > 2);
  // The same sentence a hundred times is no way past the last one.
  const pieces = [...new Set(all)];
  if (pieces.length === 1 && pieces[0] === text.trim()) return [];
  if (pieces.length <= MOST_PIECES) return pieces;
  return [...pieces.slice(0, MOST_PIECES / 2), ...pieces.slice(-MOST_PIECES / 2)];
}
