import type { FieldError, RequestFailure } from "../domain/ledger/failure.ts";
import type { ChatMessage, ChatPart } from "../engines/inference.ts";
import { MAX_PICTURE_BYTES, type Picture, readPicture } from "../engines/picture.ts";
import type { PictureSource } from "../moderation/content.ts";
import { fetchPicture, readImageUrl } from "../moderation/picture-sources.ts";
import type { ResolveHost } from "../io/resolve-host.ts";

// The pictures of a chat. A wrong inline picture is refused before anything is admitted. A picture at a URL
// is fetched after the call has its hold, so that callers without quota cannot make us fetch.

/** As in a moderation: eight pictures of 4 MB fit into an isolate. */
export const MAX_PICTURES = 8;

/** Bytes of all pictures together: in base64, and again in the request's JSON, they are in memory twice. */
const MAX_TOTAL_BYTES = 3 * MAX_PICTURE_BYTES;

/** A slower picture counts as not available. */
const FETCH_TIMEOUT_MS = 10_000;

type InvalidRequest = Extract<RequestFailure, { kind: "invalid_request" }>;

interface Found {
  readonly path: FieldError["path"];
  readonly url: string;
  readonly source: PictureSource;
}

export interface ChatPictures {
  readonly kind: "read";
  /** Fetches the pictures at URLs; returns a failure for the first one that is not available. */
  prepare(signal: AbortSignal): Promise<InvalidRequest | null>;
  /** The messages with every picture as a data URI; call it after `prepare`. */
  messages(): readonly ChatMessage[];
}

export function chatPictures(
  messages: readonly ChatMessage[],
  resolve: ResolveHost | null,
): ChatPictures | InvalidRequest {
  const named = picturesIn(messages);
  if (named.length > MAX_PICTURES) {
    const detail = `must have at most ${MAX_PICTURES} pictures in all`;
    return { kind: "invalid_request", errors: [{ path: ["messages"], detail }] };
  }
  const read = named.map(({ url, path }) => ({ url, path, ...readImageUrl(url, path) }));
  const errors = read.flatMap((one) => (one.kind === "wrong" ? [one.error] : []));
  if (errors.length > 0) return { kind: "invalid_request", errors };
  const found = read.flatMap((one): Found[] => (one.kind === "read" ? [one] : []));
  const dataUris = new Map<string, string>();
  return {
    kind: "read",
    prepare: (signal) => prepare(found, dataUris, { signal, resolve }),
    messages: () => messages.map((message) => withPictures(message, dataUris)),
  };
}

const picturesIn = (
  messages: readonly ChatMessage[],
): { readonly url: string; readonly path: FieldError["path"] }[] =>
  messages.flatMap(({ content }, message) =>
    content === null || typeof content === "string"
      ? []
      : content.flatMap((part, at) =>
          part.type === "image_url"
            ? [
                {
                  url: part.image_url.url,
                  path: ["messages", message, "content", at, "image_url", "url"],
                },
              ]
            : [],
        ),
  );

/** Prepares each picture once, even if several parts name the same URL. */
async function prepare(
  found: readonly Found[],
  dataUris: Map<string, string>,
  options: { readonly signal: AbortSignal; readonly resolve: ResolveHost | null },
): Promise<InvalidRequest | null> {
  const distinct = found.filter(({ url }, at) => found.findIndex((one) => one.url === url) === at);
  const pictures = await Promise.all(distinct.map(({ source }) => pictureOf(source, options)));
  let bytes = 0;
  for (const [at, { url, path }] of distinct.entries()) {
    const picture = pictures[at];
    if (picture === undefined || picture === null) {
      return { kind: "invalid_request", errors: [{ path, detail: NOT_FETCHED }] };
    }
    bytes += picture.bytes.byteLength;
    if (bytes > MAX_TOTAL_BYTES) {
      const detail = `must be smaller: all pictures of a call have at most ${MAX_TOTAL_BYTES} bytes together`;
      return { kind: "invalid_request", errors: [{ path, detail }] };
    }
    dataUris.set(url, `data:image/${picture.format};base64,${picture.bytes.toBase64()}`);
  }
  return null;
}

/** Names all requirements and not the one that failed: callers could otherwise use us as a scanner. */
const NOT_FETCHED =
  "must name a PNG, JPEG or WebP picture of at most 4 MB on a public host that gives it at once, without a redirect";

async function pictureOf(
  source: PictureSource,
  { signal, resolve }: { readonly signal: AbortSignal; readonly resolve: ResolveHost | null },
): Promise<Picture | null> {
  if (source.kind === "picture") return source.picture;
  const fetched = await fetchPicture(source.url, {
    fetch: (...request) => fetch(...request),
    resolve,
    timeoutMs: FETCH_TIMEOUT_MS,
    maxBytes: MAX_PICTURE_BYTES,
    signal,
  });
  if (fetched.kind === "failed") return null;
  const picture = readPicture(fetched.bytes);
  return "kind" in picture ? null : picture;
}

const withPictures = (message: ChatMessage, dataUris: ReadonlyMap<string, string>): ChatMessage => {
  const { content } = message;
  if (content === null || typeof content === "string") return message;
  const parts = content.map((part): ChatPart => {
    if (part.type === "text") return part;
    const url = dataUris.get(part.image_url.url);
    if (url === undefined) throw new Error("a picture is missing");
    return { type: "image_url", image_url: { url } };
  });
  return { ...message, content: parts };
};
