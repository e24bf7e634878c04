import { type LinePage, pagedResponse } from "./ndjson.ts";

// Tables by RFC 4180: a header, CRLF, quotes where a cell needs them.

export const CSV = "text/csv";

export type Cell = string | number | boolean | null;

/** How a formula of a spreadsheet begins, also after a tab or a line end. */
const FORMULA = /^[=+\-@\t\r\n]/;
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * Names come from callers, and a spreadsheet must not run them: a cell that looks like a formula gets an
 * apostrophe in front, unless it is a plain number.
 */
function written(cell: Cell): string {
  if (cell === null) return "";
  const plain = String(cell);
  const safe = FORMULA.test(plain) && !PLAIN_NUMBER.test(plain) ? `'${plain}` : plain;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const line = (cells: readonly Cell[]): string => `${cells.map(written).join(",")}\r\n`;

/** A header, then the rows of each page. */
export function csvResponse(
  columns: readonly string[],
  first: LinePage<readonly Cell[]>,
  fileName: string,
): Response {
  let head = line(columns);
  const encode = (rows: readonly (readonly Cell[])[]): string => {
    const text = head + rows.map(line).join("");
    head = "";
    return text;
  };
  return pagedResponse(first, encode, fileHeaders(CSV, fileName));
}

/** What no name of a file needs, and some header, path or shell would take for something else. */
const ODD = /[^\w.-]+/g;

/** The headers of a file of that name. A name can hold what a caller sent: odd characters become a hyphen. */
export const fileHeaders = (type: string, name: string): Readonly<Record<string, string>> => ({
  "Content-Type": `${type}; charset=utf-8`,
  "Content-Disposition": `attachment; filename="${name.replaceAll(ODD, "-")}"`,
});

/** @param rows each with as many cells as there are columns */
export const csv = (columns: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  line(columns) + rows.map(line).join("");
