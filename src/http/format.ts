import { CSV } from "./csv.ts";
import { NDJSON } from "./ndjson.ts";

// One report in several forms: `?format=` says which, else what the caller says it accepts.

export const HTML = "text/html";

const TYPES = { json: "application/json", ndjson: NDJSON, csv: CSV, html: HTML } as const;

export type Format = keyof typeof TYPES;

/**
 * The first that the caller likes best of those that there are. JSON where the caller takes anything,
 * or nothing that there is: a client that does not know of formats gets what it always got.
 *
 * @param asked what the query says, which holds whatever the headers say
 */
export function formatOf<Offered extends Format>(
  request: Request,
  asked: Offered | undefined,
  offered: readonly Offered[],
): Offered | "json" {
  if (asked !== undefined) return asked;
  const accepted = (request.headers.get("accept") ?? "").slice(0, MOST_ACCEPT).split(",");
  const liked = accepted
    .map((range) => {
      const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith("q="));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  for (const { type } of liked) {
    if (type === "*/*" || type === "application/*") return "json";
    const found = offered.find((format) => TYPES[format] === type);
    if (found !== undefined) return found;
  }
  return "json";
}

/** Characters of the header that are read: a browser's has some two hundred. */
const MOST_ACCEPT = 2000;
