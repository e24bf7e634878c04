// Lists as one stream, a JSON object on each line.

export const NDJSON = "application/x-ndjson";

export const acceptsNdjson = (request: Request): boolean =>
  (request.headers.get("accept") ?? "").split(",").some((type) => type.trim().startsWith(NDJSON));

/** A page of lines, and the function that reads the next one; null: this is the last. */
export interface LinePage<Line = unknown> {
  readonly lines: readonly Line[];
  readonly next: (() => Promise<LinePage<Line>>) | null;
}

/** A page of a list, and the place at which the next one begins; null: this is the last. */
export interface ListPage<Place, Line = unknown> {
  readonly lines: readonly Line[];
  readonly next: Place | null;
}

/** Tells a page from the failure to read it. */
export const isPage = <Place, Line>(
  page: ListPage<Place, Line> | { readonly kind: string },
): page is ListPage<Place, Line> => "lines" in page;

/**
 * The lines of a list, from a page of it on.
 *
 * @param read reads the page at a place; when it fails, the stream ends with an error
 */
export const linesFrom = <Place, Line>(
  { lines, next }: ListPage<Place, Line>,
  read: (place: Place) => Promise<ListPage<Place, Line> | { readonly kind: string }>,
): LinePage<Line> => ({
  lines,
  next:
    next === null
      ? null
      : async () => {
          const page = await read(next);
          if (!isPage(page)) throw new Error("the list could not be read further");
          return linesFrom(page, read);
        },
});

export const ndjson = (first: LinePage): Response =>
  pagedResponse(first, (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join(""), {
    "Content-Type": NDJSON,
  });

/**
 * One page at a time, on demand. A page that cannot be read errors the stream: a cut file must not look
 * like a whole one.
 */
export function pagedResponse<Line>(
  first: LinePage<Line>,
  encode: (lines: readonly Line[]) => string,
  headers: Readonly<Record<string, string>>,
): Response {
  const encoder = new TextEncoder();
  let page: LinePage<Line> | null = first;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // The stream asks again only after something was enqueued: empty pages are passed over here.
      for (let text = ""; text === "" && page !== null;) {
        text = encode(page.lines);
        if (text !== "") controller.enqueue(encoder.encode(text));
        // oxlint-disable-next-line no-await-in-loop -- one page after the other
        page = page.next === null ? null : await page.next();
      }
      if (page === null) controller.close();
    },
  });
  return new Response(stream, { headers: { ...headers } });
}
