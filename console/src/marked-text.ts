// Splits a text into pieces and marks those that caused a verdict.

export interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** @param spans in UTF-16 units, in any order; they may overlap or reach beyond the text */
export function piecesOf(
  text: string,
  spans: readonly { readonly start: number; readonly end: number }[],
): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const from = Math.max(at, start);
    if (end <= from || from >= text.length) continue;
    if (from > at) pieces.push({ text: text.slice(at, from), marked: false });
    pieces.push({ text: text.slice(from, end), marked: true });
    at = end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), marked: false });
  return pieces;
}
