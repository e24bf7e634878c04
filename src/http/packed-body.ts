import type { Buffer } from "node:buffer";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { Failure } from "../domain/ledger/failure.ts";
import { LARGE_BODY_BYTES, type Intake, NO_ROOM } from "./intake.ts";

// A body with a Content-Encoding, as many clients send large ones: gzip (RFC 1952), deflate (RFC 1950, and
// 1951, which some clients send under that name) or br (RFC 7932). The content has the same limits as any
// body: it needs room and permission before it is unpacked, and is never longer than the limit.

export const ENCODINGS = ["gzip", "deflate", "br"] as const;
export type Encoding = (typeof ENCODINGS)[number];

type Bytes = Uint8Array<ArrayBuffer>;

/** The content, of at most `limitBytes`; or the failure. */
export async function unpacked(
  packed: Bytes,
  { encoding, limitBytes }: { readonly encoding: Encoding; readonly limitBytes: number },
  intake: Intake,
): Promise<Bytes | Failure> {
  if (encoding !== "gzip") return withoutLength(packed, { encoding, limitBytes }, intake);
  const bytes = statedBytes(packed);
  if (bytes === null) return damaged(encoding);
  return mayHaveMembers(packed)
    ? withoutLength(packed, { encoding, limitBytes }, intake)
    : withLength(packed, { bytes, limitBytes }, intake);
}

// With a length: a gzip of one member states it.

/** The last four bytes say how long the content is, modulo 2^32. */
const TRAILER_BYTES = 8;
const HEADER_BYTES = 10;

const isGzip = (packed: Bytes, at: number): boolean =>
  packed[at] === 0x1f && packed[at + 1] === 0x8b;

/**
 * The length that the body states; null: it is no gzip. A wrong length is noticed: no more than twice as
 * much, and 64 KB, is unpacked.
 */
function statedBytes(packed: Bytes): number | null {
  const { byteLength, byteOffset, buffer } = packed;
  if (byteLength < HEADER_BYTES + TRAILER_BYTES || !isGzip(packed, 0)) return null;
  return new DataView(buffer, byteOffset + byteLength - 4, 4).getUint32(0, true);
}

const DEFLATED = 8;

/** Whether another member may follow the first: its beginning is found, maybe by chance. */
function mayHaveMembers(packed: Bytes): boolean {
  for (let at = HEADER_BYTES; ; at += 1) {
    at = packed.indexOf(0x1f, at);
    if (at < 0) return false;
    if (isGzip(packed, at) && packed[at + 2] === DEFLATED) return true;
  }
}

async function withLength(
  packed: Bytes,
  { bytes, limitBytes }: { readonly bytes: number; readonly limitBytes: number },
  { claim, mayReadOn }: Intake,
): Promise<Bytes | Failure> {
  if (bytes > limitBytes) return { kind: "body_too_large", limitBytes };
  if (bytes > LARGE_BODY_BYTES) {
    const refusal = await mayReadOn();
    if (refusal !== null) return refusal;
  }
  // Both are in memory for a moment.
  if (!(await claim.hold(packed.byteLength + bytes))) return NO_ROOM;
  const content = unpack(packed, "gzip", bytes);
  if (typeof content === "string" || content.byteLength !== bytes) return damaged("gzip");
  claim.ended(bytes);
  return content;
}

// Without a length: it is unpacked with little room first, and anew with more where that is not enough.

const FIRST_BYTES = 16_384;

/** What JSON usually comes to, unpacked. */
const USUAL_RATIO = 4;

/** All tries together unpack at most a third more than the last. */
const GROWTH = 4;

async function withoutLength(
  packed: Bytes,
  { encoding, limitBytes }: { readonly encoding: Encoding; readonly limitBytes: number },
  { claim, mayReadOn }: Intake,
): Promise<Bytes | Failure> {
  let most = Math.min(limitBytes, Math.max(FIRST_BYTES, USUAL_RATIO * packed.byteLength));
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other; the first answer counts
    const refusal = most > LARGE_BODY_BYTES ? await mayReadOn() : null;
    if (refusal !== null) return refusal;
    // oxlint-disable-next-line no-await-in-loop
    if (!(await claim.hold(packed.byteLength + most))) return NO_ROOM;
    const content = unpack(packed, encoding, most);
    if (content === "damaged") return damaged(encoding);
    if (content !== "too_long") {
      claim.ended(content.byteLength);
      return content;
    }
    if (most === limitBytes) return { kind: "body_too_large", limitBytes };
    most = Math.min(limitBytes, GROWTH * most);
  }
}

/** @param most a longer content is `too_long` */
function unpack(packed: Bytes, encoding: Encoding, most: number): Bytes | "too_long" | "damaged" {
  let content: Buffer<ArrayBuffer>;
  try {
    content = unpackerOf(packed, encoding)(packed, { maxOutputLength: mostBuffered(most) });
  } catch (error) {
    return error instanceof RangeError ? "too_long" : "damaged";
  }
  if (content.byteLength > most) return "too_long";
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

/** The runtime's buffer grows in steps, and the limit applies to the size that it would grow to. */
const mostBuffered = (bytes: number): number => 2 * bytes + 65_536;

type Unpacker = (packed: Bytes, options: { maxOutputLength: number }) => Buffer<ArrayBuffer>;

function unpackerOf(packed: Bytes, encoding: Encoding): Unpacker {
  switch (encoding) {
    case "gzip":
      return gunzipSync;
    case "deflate":
      return isZlib(packed) ? inflateSync : inflateRawSync;
    case "br":
      return brotliDecompressSync;
  }
}

/** RFC 1950: the method is 8, and the first two bytes are a multiple of 31. */
const isZlib = ([first = 0, second = 0]: Bytes): boolean =>
  (first & 0x0f) === DEFLATED && (first * 256 + second) % 31 === 0;

const damaged = (encoding: Encoding): Failure => ({
  kind: "invalid_request",
  errors: [{ path: [], detail: `must be complete ${encoding}, as its Content-Encoding says` }],
});
