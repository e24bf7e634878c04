// Which part of a file a request asks for: RFC 9110, 14. Only single ranges of bytes are served. For a
// malformed range, or several ranges, the reply is the whole file, as the RFC allows.

export type ByteRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly offset: number; readonly length: number }
  /** 416. */
  | { readonly kind: "unsatisfiable" };

const WHOLE: ByteRange = { kind: "whole" };
const UNSATISFIABLE: ByteRange = { kind: "unsatisfiable" };

/** Longer numbers are beyond every file. */
const RANGE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/i;

export function byteRange(header: string | null, size: number): ByteRange {
  const match = RANGE.exec((header ?? "").replaceAll(/\s/g, ""));
  if (match === null) return WHOLE;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? UNSATISFIABLE : { kind: "part", offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === undefined ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== undefined && Number(last) < offset) return WHOLE;
  return offset >= size ? UNSATISFIABLE : { kind: "part", offset, length: end - offset + 1 };
}

const opaque = (tag: string): string => tag.trim().replace(/^W\//, "");

/** Whether `If-None-Match` names this entity: compared weakly (RFC 9110, 13.1.2). */
export function namesEntity(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.trim() === "*" || header.split(",").some((tag) => opaque(tag) === opaque(etag));
}

/** Whether a range may be sent under `If-Range`: only of exactly this entity (13.1.5). */
export const rangeApplies = (ifRange: string | null, etag: string): boolean =>
  ifRange === null || ifRange.trim() === etag;
