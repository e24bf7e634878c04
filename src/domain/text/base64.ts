// Bytes in a text: base64 in either alphabet, alone or in a data URI (RFC 2397, RFC 4648).

/** A media type with its parameters; nobody uses longer ones. */
const MAX_HEAD_CHARS = 300;

/** `data:`, an optional media type with parameters, and `;base64,`. */
const DATA_URI = /^\s{0,8}data:[^,]{0,280}?;\s{0,8}base64\s{0,8},/i;

/** The base64 after the head of a data URI; null: the text is no such URI. */
export function base64OfUri(text: string): string | null {
  const [head] = DATA_URI.exec(text.slice(0, MAX_HEAD_CHARS)) ?? [];
  return head === undefined ? null : text.slice(head.length);
}

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
