import { CSV } from "./csv.ts";
import { NDJSON } from "./ndjson.ts";

// One report in several forms: `?format=` chooses, else the caller's `Accept` header.

export const HTML = "text/html";

const TYPES = { json: "application/json", ndjson: NDJSON, csv: CSV, html: HTML } as const;

export type Format = keyof typeof TYPES;

/**
 * The offered format that the caller prefers. JSON where the caller takes anything, or none of the
 * offered formats: a client that does not know of formats gets JSON.
 *
 * @param fromQuery the format in the query, which takes precedence over the header
 */
export function formatOf<Offered extends Format>(
  request: Request,
  fromQuery: Offered | undefined,
  offered: readonly Offered[],
): Offered | "json" {
  if (fromQuery !== undefined) return fromQuery;
  const accepted = (request.headers.get("accept") ?? "").slice(0, MOST_ACCEPT).split(",");
  const preferred = accepted
    .map((range) => {
      const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith("q="));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  for (const { type } of preferred) {
    if (type === "*/*" || type === "application/*") return "json";
    const found = offered.find((format) => TYPES[format] === type);
    if (found !== undefined) return found;
  }
  return "json";
}

/** Characters of the header that are read: a browser's has about two hundred. */
const MOST_ACCEPT = 2000;
