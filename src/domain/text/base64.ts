// Bytes in a text: base64 in either alphabet, alone or in a data URI (RFC 2397, RFC 4648).

/** A media type with its parameters; longer ones are nobody's. */
const MAX_HEAD_CHARS = 300;

/** `data:`, a media type or none, its parameters, and that what follows is base64. */
const DATA_URI = /^\s{0,8}data:[^,]{0,280}?;\s{0,8}base64\s{0,8},/i;

/** What follows the head of a data URI in base64; null where it is none. */
export function base64OfUri(text: string): string | null {
  const [head] = DATA_URI.exec(text.slice(0, MAX_HEAD_CHARS)) ?? [];
  return head === undefined ? null : text.slice(head.length);
}

export const isDataUri = (text: string): boolean => /^\s{0,8}data:/i.test(text.slice(0, 16));

/** Padding may be missing, and line ends and escapes of a URL may stand in it; null: it is no base64. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const plain = text.includes("%") ? unescaped(text) : text;
  const alphabet = /[-_]/.test(plain) ? "base64url" : "base64";
  try {
    return Uint8Array.fromBase64(plain, { alphabet });
  } catch {
    return null;
  }
}

/** What base64 has in a URL: `%2B`, `%2F`, `%3D`. */
const unescaped = (text: string): string =>
  text.replace(/%(2b|2f|3d|0a|0d|20)/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
