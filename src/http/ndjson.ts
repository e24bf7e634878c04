// Lists as one stream, a JSON object on each line.

export const NDJSON = "application/x-ndjson";

export const acceptsNdjson = (request: Request): boolean =>
  (request.headers.get("accept") ?? "").split(",").some((type) => type.trim().startsWith(NDJSON));

/** A page of lines, and how the next one is read; null: it was the last. */
export interface LinePage {
  readonly lines: readonly unknown[];
  readonly next: (() => Promise<LinePage>) | null;
}

/**
 * One page at a time, as the reader takes them. A page that cannot be had errors the stream: a cut
 * file must not look like a whole one.
 */
export function ndjson(first: LinePage): Response {
  const encoder = new TextEncoder();
  let page: LinePage | null = first;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (page === null) return controller.close();
      const text = page.lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      if (text !== "") controller.enqueue(encoder.encode(text));
      if (page.next === null) {
        page = null;
        return controller.close();
      }
      page = await page.next();
    },
  });
  return new Response(stream, { headers: { "Content-Type": NDJSON } });
}
