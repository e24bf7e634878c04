const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The closing quote of the JSON string that opens at `start`; -1: there is none. */
export function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const unit = json.charCodeAt(at);
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at += 1;
  }
  return -1;
}
