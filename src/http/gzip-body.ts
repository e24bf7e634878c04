import { gunzipSync } from "node:zlib";
import type { Failure } from "../domain/ledger/failure.ts";
import { LARGE_BODY_BYTES, type Intake, NO_ROOM } from "./intake.ts";

// A body that comes in gzip (RFC 1952), as many clients send large ones. What is inside is bounded as
// any body is: it has room and permission before it is written out, and is never longer than the limit.

/** The last four bytes say how long the content is, modulo 2^32. */
const TRAILER_BYTES = 8;
const HEADER_BYTES = 10;

/** As it says itself. Who lies is found out: no more than twice as much, and 64 KB, is written out. */
function saidBytes(packed: Uint8Array): number | null {
  const { byteLength, byteOffset, buffer } = packed;
  if (byteLength < HEADER_BYTES + TRAILER_BYTES) return null;
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return null;
  return new DataView(buffer, byteOffset + byteLength - 4, 4).getUint32(0, true);
}

/** The runtime's buffer grows in steps, and is refused by what it would grow to. */
const mostBuffered = (bytes: number): number => 2 * bytes + 65_536;

/** The content, of at most `limitBytes`; or why there is none. */
export async function gunzipped(
  packed: Uint8Array,
  limitBytes: number,
  { claim, mayReadOn }: Intake,
): Promise<Uint8Array<ArrayBuffer> | Failure> {
  const bytes = saidBytes(packed);
  if (bytes === null) return DAMAGED;
  if (bytes > limitBytes) return { kind: "body_too_large", limitBytes };
  if (bytes > LARGE_BODY_BYTES) {
    const refusal = await mayReadOn();
    if (refusal !== null) return refusal;
  }
  // Both are there for a moment.
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
  errors: [{ path: [], detail: "must be gzip of one member, whole, as its Content-Encoding says" }],
};
