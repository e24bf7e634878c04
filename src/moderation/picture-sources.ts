import { bytesOfBase64, bytesOfDataUri, isDataUri } from "../domain/text/base64.ts";
import type { FieldError } from "../domain/ledger/failure.ts";
import {
  MAX_PICTURE_BYTES,
  MAX_PICTURE_PIXELS,
  type Picture,
  readPicture,
} from "../engines/picture.ts";
import type { PictureSource } from "./content.ts";
import { checkPublicUrl } from "../io/public-url.ts";
import { isPublicAddress } from "../io/public-address.ts";
import { readAtMost } from "../io/read-at-most.ts";
import { untilAborted } from "../io/until-aborted.ts";
import type { ResolveHost } from "../io/resolve-host.ts";

// Reads pictures in requests: a wrong one is refused before anything is admitted.

export type ReadSource =
  | { readonly kind: "read"; readonly source: PictureSource }
  | { readonly kind: "wrong"; readonly error: FieldError };

const REFUSED = {
  not_a_picture: "must be a PNG, JPEG or WebP picture",
  too_large: `must be at most ${MAX_PICTURE_BYTES / 1_048_576} MB`,
  too_many_pixels: `must have at most ${MAX_PICTURE_PIXELS / 1_000_000} megapixels`,
  malformed: "is a damaged picture: its header cannot be read",
} as const;

export const readBase64Picture = (base64: string, path: FieldError["path"]): ReadSource =>
  pictureOf(bytesOfBase64(base64), path, "must be base64, without a data: prefix");

/** @param otherwise how the text must be if it could not be decoded */
function pictureOf(
  bytes: Uint8Array<ArrayBuffer> | null,
  path: FieldError["path"],
  otherwise: string,
): ReadSource {
  if (bytes === null) return { kind: "wrong", error: { path, detail: otherwise } };
  const picture: Picture | { kind: keyof typeof REFUSED } = readPicture(bytes);
  if ("kind" in picture) return { kind: "wrong", error: { path, detail: REFUSED[picture.kind] } };
  return { kind: "read", source: { kind: "picture", picture } };
}

export function readPictureUrl(text: string, path: FieldError["path"]): ReadSource {
  const checked = checkPublicUrl(text);
  return checked.kind === "allowed"
    ? { kind: "read", source: { kind: "url", url: checked.url } }
    : { kind: "wrong", error: { path, detail: checked.detail } };
}

/** OpenAI's form: an https URL, or the picture itself as a data URI. */
export function readImageUrl(text: string, path: FieldError["path"]): ReadSource {
  return isDataUri(text)
    ? pictureOf(bytesOfDataUri(text), path, "must be a data URI in base64 or percent-encoded")
    : readPictureUrl(text, path);
}

// Fetches a picture that a caller named by URL, after `checkPublicUrl` allowed it. The caller is never
// shown the body, a header or the status that arrived: a fetcher that reports them is a scanner for
// everyone who can call it.
//
// `resolve` stops a public name that points to a private address (127.0.0.1.nip.io, or a zone made for
// it). It does not stop a name that resolves differently the second time (rebinding), since a Worker
// cannot tell `fetch` which address to connect to. The place where the code runs does: a Worker on
// Cloudflare's network reaches no private range of the platform, and workerd's own default network
// service refuses private addresses when it connects. `wrangler dev` allows them, so a development
// server must not take URLs from strangers. Hosts of the Worker's own zone are reached without the
// zone's firewall unless the compatibility flag `global_fetch_strictly_public` is set.

export interface FetchPictureOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Every address of the host must be public. Null skips this check, for a local host. */
  readonly resolve: ResolveHost | null;
  /** Covers everything: resolution, connection, headers and body. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Ends the fetch early. */
  readonly signal?: AbortSignal;
}

export type FetchedPicture =
  | { readonly kind: "fetched"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `detail` follows a field pointer: `redirects are not followed`. */
  | { readonly kind: "failed"; readonly detail: string };

/** The formats that can be moderated. */
const ACCEPT = "image/png, image/jpeg, image/webp";

export async function fetchPicture(
  url: URL,
  options: FetchPictureOptions,
): Promise<FetchedPicture> {
  const end = new AbortController();
  const signal = AbortSignal.any([end.signal, ...(options.signal ? [options.signal] : [])]);
  const timer = setTimeout(() => end.abort(), options.timeoutMs);
  try {
    return await untilAborted(signal, fetchWithin(url, options, signal));
  } catch {
    // A resolver, a connection or a body that stops half way may throw.
    return failed(signal.aborted ? "did not arrive in time" : "could not be fetched");
  } finally {
    clearTimeout(timer);
    // Closes the connection, even with unread data on it.
    end.abort();
  }
}

async function fetchWithin(
  url: URL,
  { fetch, resolve, maxBytes }: FetchPictureOptions,
  signal: AbortSignal,
): Promise<FetchedPicture> {
  if (resolve !== null) {
    const addresses = await resolve(url.hostname, signal);
    if (addresses.length === 0) return failed("could not be fetched");
    // The connection may use any of them.
    if (!addresses.every(isPublicAddress)) return failed("must name a public host");
  }
  // A Worker's fetch keeps no cookies and sends no referrer or credentials of its own.
  const response = await fetch(url.href, {
    headers: { accept: ACCEPT, "user-agent": "neurogate" },
    redirect: "manual",
    signal,
  });
  const outcome = await readResponse(response, maxBytes);
  if (outcome.kind === "failed") await response.body?.cancel();
  return outcome;
}

async function readResponse(response: Response, maxBytes: number): Promise<FetchedPicture> {
  if (response.status >= 300 && response.status <= 399) return failed("redirects are not followed");
  if (response.status !== 200) return failed("did not answer with status 200");
  if (response.body === null) return failed("could not be fetched");
  const announced = announcedBytes(response);
  if (announced !== null && announced > maxBytes) return failed("is too large");
  const bytes = await readAtMost(response.body, maxBytes, { expectedBytes: announced });
  return bytes === null ? failed("is too large") : { kind: "fetched", bytes };
}

/** A claim of the server: it only serves to refuse early and to size the buffer. */
function announcedBytes(response: Response): number | null {
  const header = response.headers.get("content-length");
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

function failed(detail: string): FetchedPicture {
  return { kind: "failed", detail };
}
