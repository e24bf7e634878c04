const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Whether a text is the JSON of one object from its first brace to its last, with every string and bracket
 * closed. It is not parsed: a tool's arguments may nest to any depth, and engines read them as they are. An
 * answer that was cut off is not a whole object.
 */
export function isWholeObject(text: string): boolean {
  const json = text.trim();
  if (!json.startsWith("{") || !json.endsWith("}")) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at);
    if (unit === QUOTE) {
      at = endOfString(json, at);
      if (at === -1) return false;
    } else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
    } else if (unit === 0x7d || unit === 0x5d) {
      depth -= 1;
      if (depth === 0) return at === json.length - 1;
    }
  }
  return false;
}

/** The closing quote of the JSON string that opens at `start`; -1: there is none. */
export function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const unit = json.charCodeAt(at);
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at += 1;
  }
  return -1;
}
