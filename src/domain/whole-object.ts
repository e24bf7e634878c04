const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Whether a text is the JSON of an object from its first brace to its last: every string and bracket in
 * it is closed. It is not parsed: a tool's arguments may nest as deep as they like, and engines read
 * them as they are. An answer that was cut off is no whole object.
 */
export function isWholeObject(text: string): boolean {
  const json = text.trim();
  if (!json.startsWith("{") || !json.endsWith("}")) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at);
    if (unit === QUOTE) {
      at = endOfString(json, at);
    } else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
    } else if (unit === 0x7d || unit === 0x5d) {
      depth -= 1;
      if (depth === 0) return at === json.length - 1;
    }
  }
  return false;
}

/** The closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}
