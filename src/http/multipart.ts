import { nextByte } from "../io/byte-view.ts";
import type { FieldError } from "../domain/ledger/failure.ts";
import { Upload } from "./upload.ts";

// `multipart/form-data` (RFC 7578) without a copy: texts are decoded, files are views into the body.
//
// The platform's `formData()` keeps a body three times (its own copy, the files, the bytes that are read
// of a file). A file of 25 MB takes 208 MB of workerd's memory at its peak, 116 MB of it before the form
// is even read; an isolate has 128. The tests compare this parser with `formData()`.

/** More parts than any form here has fields. */
const MAX_PARTS = 32;
const MAX_HEADER_BYTES = 4096;
const MAX_TEXT_BYTES = 65_536;
/** Spaces after a boundary: no known client puts any. */
const MAX_SPACES = 256;

export type FormResult =
  | { readonly kind: "form"; readonly parts: readonly Part[] }
  | { readonly kind: "invalid_request"; readonly errors: readonly FieldError[] };

export interface Part {
  readonly name: string;
  readonly value: string | Upload;
}

type Bytes = Uint8Array<ArrayBuffer>;

const UTF8 = new TextEncoder();
const DASH = 0x2d;
const CR = 0x0d;
const LF = 0x0a;

const refuse = (detail: string, path: readonly string[] = []): FormResult => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});

/** RFC 2046, 5.1.1: 1 to 70 characters of these, not a space at the end. */
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;

/** The boundary in a content type; undefined: it is no form; null: there is no valid boundary. */
export function boundaryIn(contentType: string): string | null | undefined {
  const [, rest] = /^multipart\/form-data\s*(?:;(.*))?$/is.exec(contentType.trim()) ?? [];
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType.trim())) return undefined;
  const [, quoted, bare] = /(?:^|;)\s*boundary=(?:"([^"]*)"|([^\s;]+))/i.exec(rest ?? "") ?? [];
  const boundary = quoted ?? bare ?? "";
  return BOUNDARY.test(boundary) ? boundary : null;
}

export function parseMultipart(body: Bytes, boundary: string): FormResult {
  const delimiter = UTF8.encode(`\r\n--${boundary}`);
  const start = beginOf(body, delimiter);
  if (start === null) return refuse("must begin with its boundary");
  const parts: Part[] = [];
  let at = start;
  for (;;) {
    if (body[at] === DASH && body[at + 1] === DASH) return { kind: "form", parts };
    // RFC 2046 lets spaces follow a boundary.
    const spacesEnd = at + MAX_SPACES;
    while (at < spacesEnd && (body[at] === 0x20 || body[at] === 0x09)) at += 1;
    if (body[at] === LF) return refuse("must end each line of its headers with CRLF");
    if (body[at] !== CR || body[at + 1] !== LF) return refuse("must end with its boundary");
    if (parts.length === MAX_PARTS) return refuse(`must have at most ${MAX_PARTS} parts`);
    const head = headerOf(body, at + 2);
    if (head === null) return refuse("must have parts with a name in their Content-Disposition");
    const end = findDelimiter(body, delimiter, head.contentAt);
    if (end === null) return refuse("must end with its boundary");
    const content = body.subarray(head.contentAt, end);
    const part = partOf(head, content);
    if ("kind" in part) return part;
    parts.push(part);
    at = end + delimiter.byteLength;
  }
}

/** Bytes before the first boundary, which are ignored; mostly a line break: RFC 2046, 5.1.1. */
const MAX_PREAMBLE_BYTES = 1024;

/** The place after the first boundary; null: there is none. */
function beginOf(body: Bytes, delimiter: Uint8Array): number | null {
  if (startsWith(body, delimiter.subarray(2), 0)) return delimiter.byteLength - 2;
  const within = body.subarray(0, MAX_PREAMBLE_BYTES + delimiter.byteLength);
  const at = findDelimiter(within, delimiter, 0);
  if (at === null) return null;
  const start = at + delimiter.byteLength;
  // The end of a form that did not begin.
  return body[start] === DASH ? null : start;
}

interface Header {
  readonly name: string;
  readonly fileName: string | null;
  readonly contentType: string | null;
  /** Of its content, if it is not sent as it is. */
  readonly encoding: string | null;
  readonly contentAt: number;
}

function headerOf(body: Bytes, from: number): Header | null {
  const limit = Math.min(body.byteLength, from + MAX_HEADER_BYTES);
  let end = from;
  while (end < limit && !(body[end] === CR && startsWith(body, EMPTY_LINE, end))) end += 1;
  const text = end < limit ? decoded(body.subarray(from, end)) : null;
  // A line that begins with a space goes on with the line before: RFC 5322, 2.2.3.
  const lines = text?.replace(/\r\n[ \t]+/g, " ").split("\r\n") ?? [];
  const disposition = lines.find((line) => /^content-disposition:\s*form-data\s*;/i.test(line));
  const name = parameter(disposition ?? "", "name");
  if (name === null || name === "") return null;
  const valueOf = (header: string): string | null => {
    const line = lines.find((one) => one.toLowerCase().startsWith(`${header}:`));
    return line?.slice(line.indexOf(":") + 1).trim() ?? null;
  };
  const encoding = valueOf("content-transfer-encoding");
  return {
    name,
    fileName: parameter(disposition ?? "", "filename"),
    contentType: valueOf("content-type"),
    encoding: encoding === null || PLAIN_ENCODING.test(encoding) ? null : encoding,
    contentAt: end + EMPTY_LINE.byteLength,
  };
}

const PLAIN_ENCODING = /^(?:7bit|8bit|binary)$/i;

const EMPTY_LINE = UTF8.encode("\r\n\r\n");

/** One parameter after the other, so that text in quotes is never read as a parameter. */
const PARAMETER = /;\s*([\w-]{1,40}\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/gy;

/**
 * Browsers escape a quote as %22 (and line ends), curl with a backslash. `filename*` has a charset and
 * escapes (RFC 5987): RFC 7578 forbids it, but clients send it.
 */
function parameter(disposition: string, name: string): string | null {
  const given = new Map<string, string>();
  const rest = disposition.slice(disposition.indexOf(";"));
  for (const [, key = "", quoted, bare = ""] of rest.matchAll(PARAMETER)) {
    const value = quoted?.replace(/\\(["\\])/g, "$1") ?? bare;
    if (!given.has(key.toLowerCase())) given.set(key.toLowerCase(), value);
  }
  const extended = given.get(`${name}*`);
  const decodedValue = extended === undefined ? null : extendedValue(extended);
  // A name that cannot be read is still a name.
  const value = decodedValue ?? given.get(name) ?? (extended === undefined ? undefined : "");
  if (value === undefined) return null;
  return value.replace(/%22/g, '"').replace(/%0D/gi, "\r").replace(/%0A/gi, "\n");
}

/** `UTF-8''caf%C3%A9.wav`; null for another charset, or none. */
function extendedValue(text: string): string | null {
  const [, value] = /^utf-8'[\w-]*'(.*)$/i.exec(text) ?? [];
  if (value === undefined) return null;
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

/** Files of some clients have no name. */
const FILE_TYPE = /^(?:audio|image|video)\/|^application\/octet-stream\s*(?:;|$)/i;

function partOf(
  { name, fileName, contentType, ...head }: Header,
  content: Bytes,
): Part | FormResult {
  if (head.encoding !== null) {
    return refuse("must be sent as it is, without a Content-Transfer-Encoding", [plain(name)]);
  }
  if (fileName !== null || FILE_TYPE.test(contentType ?? "")) {
    return { name, value: new Upload(content, contentType, fileName ?? "") };
  }
  if (content.byteLength > MAX_TEXT_BYTES) {
    return refuse(`must be at most ${MAX_TEXT_BYTES} bytes; ${A_FILE}`, [plain(name)]);
  }
  const text = decoded(content);
  return text === null
    ? refuse(`must be valid UTF-8; ${A_FILE}`, [plain(name)])
    : { name, value: text };
}

const A_FILE = "a file has a filename in its Content-Disposition";

/** A name is the caller's own: a name that may be content is not shown. */
export const plain = (name: string): string => (/^[\w.-]{1,64}(\[\])?$/.test(name) ? name : "*");

function decoded(bytes: Bytes): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function startsWith(body: Bytes, text: Uint8Array, at: number): boolean {
  return text.every((byte, offset) => body[at + offset] === byte);
}

/**
 * Linear for any body and boundary: CR is in the delimiter only once, at its start, so after a mismatch
 * the search can only start again. The search from one CR to the next is native.
 */
function findDelimiter(body: Bytes, delimiter: Uint8Array, from: number): number | null {
  const wanted = delimiter.byteLength;
  for (let at = nextByte(body, CR, from); at < body.byteLength;) {
    let matched = 1;
    while (matched < wanted && body[at + matched] === delimiter[matched]) matched += 1;
    if (matched === wanted) return at;
    at = nextByte(body, CR, at + matched);
  }
  return null;
}
