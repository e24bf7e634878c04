import { KEY_HEADER } from "../http/authenticate.ts";
import { byteRange, namesEntity, rangeApplies } from "../http/byte-range.ts";
import { raw, type Raw } from "../http/reply.ts";

// A stored picture as HTTP: RFC 9110, 13 and 14. Its bytes never change, so its reply may be kept,
// by the one who asked alone.

/** Nothing in a picture is to run: not as a page of its own, not under another type. */
const INERT = {
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "X-Content-Type-Options": "nosniff",
};

/** What was sniffed when it was stored; nothing else is served. */
const TYPES: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "image/avif": "avif",
};

/**
 * @param key of the file; null is the answer for what is not there
 * @param keptS how long a reader may keep it
 * @param isNegotiated the header `Accept` had a part in the choice of the file
 */
export async function pictureReply(
  bucket: R2Bucket,
  key: string,
  {
    id,
    request,
    keptS,
    isNegotiated = false,
  }: {
    readonly id: string;
    readonly request: Request;
    readonly keptS: number;
    readonly isNegotiated?: boolean;
  },
): Promise<Raw | null> {
  const object = await bucket.head(key);
  const type = object?.httpMetadata?.contentType ?? "";
  const extension = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (object === null || extension === undefined) return null;
  const { size, httpEtag } = object;
  const headers: Record<string, string> = {
    ...INERT,
    ETag: httpEtag,
    "Accept-Ranges": "bytes",
    "Cache-Control": `private, max-age=${keptS}, immutable`,
    // Who has kept it with one key must not be given it with another.
    Vary: `Authorization, ${KEY_HEADER}${isNegotiated ? ", Accept" : ""}`,
  };
  if (namesEntity(request.headers.get("if-none-match"), httpEtag)) {
    return raw(new Response(null, { status: 304, headers }));
  }
  const asked = rangeApplies(request.headers.get("if-range"), httpEtag)
    ? request.headers.get("range")
    : null;
  const range = byteRange(asked, size);
  if (range.kind === "unsatisfiable") {
    const unsatisfied = { ...headers, "Content-Range": `bytes */${size}` };
    return raw(new Response(null, { status: 416, headers: unsatisfied }));
  }
  const whole = range.kind === "whole";
  const { offset, length } = whole ? { offset: 0, length: size } : range;
  Object.assign(headers, {
    "Content-Type": type,
    "Content-Length": String(length),
    "Content-Disposition": `attachment; filename="${id}.${extension}"`,
    ...(!whole && { "Content-Range": `bytes ${offset}-${offset + length - 1}/${size}` }),
  });
  const status = whole ? 200 : 206;
  if (request.method === "HEAD") return raw(new Response(null, { status, headers }));
  const stored = await bucket.get(key, whole ? {} : { range: { offset, length } });
  return stored === null ? null : raw(new Response(stored.body, { status, headers }));
}
