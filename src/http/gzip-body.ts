import { gunzipSync } from "node:zlib";
import type { Failure } from "../domain/ledger/failure.ts";
import { LARGE_BODY_BYTES, type Intake, NO_ROOM } from "./intake.ts";

// A body in gzip (RFC 1952), as many clients send large ones. The content has the same limits as any body:
// it needs room and permission before it is unpacked, and is never longer than the limit.

/** The last four bytes say how long the content is, modulo 2^32. */
const TRAILER_BYTES = 8;
const HEADER_BYTES = 10;

/**
 * The length that the body states; null: it is no gzip. A wrong length is noticed: no more than twice as
 * much, and 64 KB, is unpacked.
 */
function statedBytes(packed: Uint8Array): number | null {
  const { byteLength, byteOffset, buffer } = packed;
  if (byteLength < HEADER_BYTES + TRAILER_BYTES) return null;
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return null;
  return new DataView(buffer, byteOffset + byteLength - 4, 4).getUint32(0, true);
}

/** The runtime's buffer grows in steps, and the limit applies to the size that it would grow to. */
const mostBuffered = (bytes: number): number => 2 * bytes + 65_536;

/** The content, of at most `limitBytes`; or the failure. */
export async function gunzipped(
  packed: Uint8Array,
  limitBytes: number,
  { claim, mayReadOn }: Intake,
): Promise<Uint8Array<ArrayBuffer> | Failure> {
  const bytes = statedBytes(packed);
  if (bytes === null) return DAMAGED;
  if (bytes > limitBytes) return { kind: "body_too_large", limitBytes };
  if (bytes > LARGE_BODY_BYTES) {
    const refusal = await mayReadOn();
    if (refusal !== null) return refusal;
  }
  // Both are in memory for a moment.
  if (!(await claim.hold(packed.byteLength + bytes))) return NO_ROOM;
  let content: Buffer<ArrayBuffer>;
  try {
    content = gunzipSync(packed, { maxOutputLength: mostBuffered(bytes) });
  } catch {
    return DAMAGED;
  }
  if (content.byteLength !== bytes) return DAMAGED;
  claim.ended(bytes);
  return new Uint8Array(content.buffer, content.byteOffset, bytes);
}

const DAMAGED: Failure = {
  kind: "invalid_request",
  errors: [{ path: [], detail: "must be one complete gzip member, as its Content-Encoding says" }],
};
