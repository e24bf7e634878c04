// Lists as one stream, a JSON object on each line.

export const NDJSON = "application/x-ndjson";

export const acceptsNdjson = (request: Request): boolean =>
  (request.headers.get("accept") ?? "").split(",").some((type) => type.trim().startsWith(NDJSON));

/** A page of lines, and the function that reads the next one; null: this is the last. */
export interface LinePage<Line = unknown> {
  readonly lines: readonly Line[];
  readonly next: (() => Promise<LinePage<Line>>) | null;
}

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
