import type { EngineFailure, FieldError, RequestFailure } from "../domain/ledger/failure.ts";

// PDF and Office files as text, by the Markdown conversion of Workers AI. Pictures are never converted:
// models would run that no hold covers.

/** The part of the `AI` binding that converts; absent: this deployment converts nothing. */
export type Converter = Pick<ToMarkdownService, "supported" | "transform">;

const TIMEOUT_MS = 30_000;

export type Converted =
  | { readonly kind: "text"; readonly text: string }
  | Extract<RequestFailure, { kind: "invalid_request" }>
  | EngineFailure;

const refused = (detail: string): Converted => {
  const error: FieldError = { path: ["file"], detail };
  return { kind: "invalid_request", errors: [error] };
};

const UNABLE: EngineFailure = {
  kind: "engine_unsupported",
  detail: "This deployment converts no such files: send text, Markdown or HTML.",
};

const FAILED: EngineFailure = {
  kind: "engine_failed",
  charged: false,
  detail: "The file could not be converted at this time. Nothing was charged.",
};

const TIMED_OUT: EngineFailure = { kind: "engine_timeout", charged: false };

/** Bytes with which pictures begin, whatever they are called. */
const PICTURES: readonly (readonly number[])[] = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
  [0x42, 0x4d],
  [0x49, 0x49, 0x2a, 0x00],
  [0x4d, 0x4d, 0x00, 0x2a],
];

const isPicture = (bytes: Uint8Array): boolean =>
  PICTURES.some((start) => start.every((byte, at) => bytes[at] === byte)) ||
  /^(?:RIFF[^]{4}WEBP|[^]{4}ftyp(?:avif|heic|mif1))/.test(
    new TextDecoder("latin1").decode(bytes.subarray(0, 12)),
  );

/** Images, sounds and films: no text of theirs is read without a model. */
const NEEDS_MODEL = /^(?:image|audio|video)\//;

/**
 * @param contentType as the caller declares it, without parameters
 * @param converter null: there is none here
 */
export async function convertFile(
  converter: Converter | null,
  { bytes, contentType }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly contentType: string },
): Promise<Converted> {
  if (NEEDS_MODEL.test(contentType) || isPicture(bytes)) {
    return refused("must be a text, not a picture or a recording");
  }
  if (converter === null) return UNABLE;
  const supported = await within(converter.supported()).catch(() => null);
  if (supported === null) return FAILED;
  if (supported === "late") return TIMED_OUT;
  const format = supported.find(({ mimeType }) => mimeType === contentType);
  if (format === undefined) return UNABLE;
  // The caller's own name of the file is not sent.
  const file = {
    name: `document${format.extension}`,
    blob: new Blob([bytes], { type: contentType }),
  };
  const images = { convert: false, maxConvertedImages: 0 };
  const conversionOptions = {
    pdf: { images, metadata: false },
    docx: { images },
    html: { images: { ...images, convertOGImage: false } },
  };
  const converted = await within(converter.transform(file, { conversionOptions })).catch(
    () => null,
  );
  if (converted === null) return FAILED;
  if (converted === "late") return TIMED_OUT;
  if (converted.format === "error" || typeof converted.data !== "string") {
    return refused("could not be converted: it may be damaged, encrypted or of another format");
  }
  return { kind: "text", text: converted.data };
}

async function within<Result>(work: Promise<Result>): Promise<Result | "late"> {
  const timer = new AbortController();
  const late = scheduler.wait(TIMEOUT_MS, { signal: timer.signal }).then(
    () => "late" as const,
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
