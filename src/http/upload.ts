import * as v from "valibot";
import { stated } from "./field-errors.ts";

/** Bytes as they were sent: a file of a form, or a body that is no JSON. */
export class Upload {
  /** The sender's name for it; empty where it has none. It is only passed on. */
  readonly name: string;
  /** The sender's declaration, which is never trusted; `application/octet-stream` without one. */
  readonly contentType: string;
  /** A view into the body: nothing was copied. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>, contentType: string | null, name = "") {
    this.bytes = bytes;
    this.contentType = contentType ?? "application/octet-stream";
    this.name = name;
  }
}

const isUpload = (value: unknown): value is Upload => value instanceof Upload;

/** The OpenAPI document recognises a file by this schema. */
export const FILE = v.unknown();

/** A file in a form's schema: not empty, and of at most `maxBytes`. */
export const upload = (maxBytes: number, description: string) =>
  v.pipe(
    FILE,
    v.check(stated("must be a file", isUpload)),
    v.transform((value) => value as Upload),
    v.check(stated("must not be empty", ({ bytes }: Upload) => bytes.byteLength > 0)),
    v.check(
      stated(
        `must be at most ${maxBytes} bytes`,
        ({ bytes }: Upload) => bytes.byteLength <= maxBytes,
      ),
    ),
    v.description(description),
  );
