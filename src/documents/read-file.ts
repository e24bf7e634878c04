import { hasText, MAX_TEXT_BYTES, storableText } from "../domain/documents/document.ts";
import { utf8Bytes } from "../domain/generation/token-bound.ts";
import { type Converted, type Converter, convertFile } from "./convert-file.ts";
import { textOfHtml } from "./html-text.ts";
import { MOST_TAGS } from "./html-tokens.ts";

// What a caller sends of a document, as text.

/** Those that are read here. */
export const TEXT_TYPES = ["text/plain", "text/markdown", "text/html"] as const;
type TextType = (typeof TEXT_TYPES)[number];

const isTextType = (type: string): type is TextType =>
  (TEXT_TYPES as readonly string[]).includes(type);

export type SentContent =
  | { readonly kind: "content"; readonly content: string; readonly contentType: TextType }
  | {
      readonly kind: "file";
      readonly bytes: Uint8Array<ArrayBuffer>;
      /** As it was declared, with its parameters. */
      readonly contentType: string;
    };

export type ReadText =
  | { readonly kind: "text"; readonly text: string; readonly contentType: string }
  | Exclude<Converted, { kind: "text" }>;

/** Whether it is sent away to be read. */
export const isConverted = (sent: SentContent): boolean =>
  sent.kind === "file" && !isTextType(typeOf(sent));

const typeOf = ({ contentType }: SentContent): string =>
  (contentType.split(";")[0] ?? "").trim().toLowerCase();

const TOO_LONG = `must have at most ${MAX_TEXT_BYTES} bytes of text in UTF-8`;

export async function readText(sent: SentContent, converter: Converter | null): Promise<ReadText> {
  if (sent.kind === "content") return textOf(sent.content, sent.contentType, "content");
  const contentType = typeOf(sent);
  if (isTextType(contentType)) {
    // No charset needs more than two bytes for one of UTF-8, so such a file is not decoded at all.
    const isTooLong = contentType !== "text/html" && sent.bytes.length > 2 * MAX_TEXT_BYTES;
    if (isTooLong) return wrong("file", TOO_LONG);
    const decoded = decodedText(sent.bytes, sent.contentType);
    if (decoded === null) return wrong("file", "must be text of the charset that it declares");
    return textOf(decoded, contentType, "file");
  }
  const converted = await convertFile(converter, { bytes: sent.bytes, contentType });
  if (converted.kind !== "text") return converted;
  return checked(converted.text, contentType, "file");
}

function textOf(text: string, contentType: TextType, field: "content" | "file"): ReadText {
  if (contentType !== "text/html") return checked(text, contentType, field);
  const read = textOfHtml(text);
  return read === null
    ? wrong(field, `must have at most ${MOST_TAGS} tags`)
    : checked(read, contentType, field);
}

function checked(read: string, contentType: string, field: "content" | "file"): ReadText {
  const text = storableText(read);
  if (!hasText(text)) return wrong(field, "must have text: pictures of text are not read");
  if (utf8Bytes(text) > MAX_TEXT_BYTES) {
    return wrong(field, TOO_LONG);
  }
  return { kind: "text", text, contentType };
}

const wrong = (field: string, detail: string) =>
  ({ kind: "invalid_request", errors: [{ path: [field], detail }] }) as const;

/** By its parameter, by the page itself, else UTF-8. */
function decodedText(bytes: Uint8Array, contentType: string): string | null {
  const [, declared] = /;\s{0,8}charset\s{0,8}=\s{0,8}"?([\w:.-]{1,40})/i.exec(contentType) ?? [];
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const [, inPage] = /<meta[^>]{1,200}charset\s{0,4}=\s{0,4}["']?([\w:.-]{1,40})/i.exec(head) ?? [];
  try {
    return new TextDecoder(declared ?? inPage ?? "utf-8", { fatal: true, ignoreBOM: false }).decode(
      bytes,
    );
  } catch {
    return null;
  }
}
