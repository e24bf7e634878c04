// Bytes in a text: base64 in either alphabet, alone or in a data URI, which may also have its bytes
// percent-encoded (RFC 2397, RFC 4648).

/** A media type with its parameters; nobody uses longer ones. */
const MAX_HEAD_CHARS = 300;

/** `data:`, and an optional media type with parameters, up to the comma. Quoted values may have commas. */
const HEAD = /^\s{0,8}data:(?:[^,"]|"(?:[^"\\]|\\[^])*")*,/i;
const IN_BASE64 = /;\s{0,8}base64\s{0,8},$/i;

/** The bytes of a data URI; null: it is none, or its data cannot be decoded. */
export function bytesOfDataUri(text: string): Uint8Array<ArrayBuffer> | null {
  const [head] = HEAD.exec(text.slice(0, MAX_HEAD_CHARS)) ?? [];
  if (head === undefined) return null;
  const data = text.slice(head.length);
  return IN_BASE64.test(head) ? bytesOfBase64(data) : percentDecoded(data);
}

/** Base64, alone or in a data URI; or a data URI with its bytes percent-encoded. Null: it is neither. */
export const bytesOfText = (text: string): Uint8Array<ArrayBuffer> | null =>
  isDataUri(text) ? bytesOfDataUri(text) : bytesOfBase64(text);

/** Null for a character outside of ASCII, and for a `%` without two hexadecimal digits. */
function percentDecoded(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let byte = text.charCodeAt(at);
    if (byte > 0x7f) return null;
    if (byte === PERCENT) {
      const hex = text.slice(at + 1, at + 3);
      if (!/^[\da-f]{2}$/i.test(hex)) return null;
      byte = Number.parseInt(hex, 16);
      at += 2;
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.slice(0, length);
}

const PERCENT = 0x25;

export const isDataUri = (text: string): boolean => /^\s{0,8}data:/i.test(text.slice(0, 16));

/** Decodes base64, also without padding and with line ends or URL escapes in it; null: it is not base64. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const plain = text.includes("%") ? unescaped(text) : text;
  const alphabet = /[-_]/.test(plain) ? "base64url" : "base64";
  try {
    return Uint8Array.fromBase64(plain, { alphabet });
  } catch {
    return null;
  }
}

/** The escapes that base64 has in a URL: `%2B`, `%2F`, `%3D`, and white space. */
const unescaped = (text: string): string =>
  text.replace(/%(2b|2f|3d|0a|0d|20)/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
