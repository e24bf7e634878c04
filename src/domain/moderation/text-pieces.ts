// A text in its sentences, each as plain text, so that the small model scores each by itself. Ten friendly
// sentences around one insult hide it from a model that reads them together, and a text that manipulates a
// judge contains such sentences.

/** The most sentences that are scored, from the start and the end: each takes a third of a millisecond. */
export const MOST_PIECES = 48;

/** UTF-16 units of a sentence. Longer ones are cut; the windows read the rest. */
const MOST_UNITS = 600;

/** Tags, the quotes and braces between the fields of JSON, and those of a program's strings. */
const FRAMES =
  /<[^<>]{1,80}>|"\s{0,4}[:,]\s{0,4}"|"\s{0,4}[}\]]|[{[]\s{0,4}"|[=(]\s{0,4}["'`]|["'`]\s{0,4}[;)]/gu;

/** Characters that replace a space. */
const SPACES = /(?:_|[^\S\n]|[\p{Extended_Pictographic}\u{FE0F}])+/gu;

/** Empty when the text is one plain sentence: it was already read as that. */
export function piecesOf(text: string): string[] {
  const all = text
    .replace(/\r\n?/g, "\n")
    .replaceAll(FRAMES, "\n")
    .replaceAll(SPACES, " ")
    .split(/(?<=[.!?:;])\s+|\n+/u)
    .map((piece) => piece.trim().slice(0, MOST_UNITS))
    .filter((piece) => piece.length > 2);
  // Repeats count once, so that a hundred of them cannot push out the last sentence.
  const pieces = [...new Set(all)];
  if (pieces.length === 1 && pieces[0] === text.trim()) return [];
  if (pieces.length <= MOST_PIECES) return pieces;
  return [...pieces.slice(0, MOST_PIECES / 2), ...pieces.slice(-MOST_PIECES / 2)];
}
