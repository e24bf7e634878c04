const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

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
    } else if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) {
      depth += 1;
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_ARRAY) {
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

interface OpenValue {
  /** Names so far; null: an array. */
  readonly names: Set<string> | null;
  /** The member that is being read; null: its name comes next. */
  step: string | number | null;
}

/**
 * The path to the first name that an object has twice: `JSON.parse` takes the last value and says nothing.
 * Null: there is none.
 *
 * @param json text that `JSON.parse` takes
 */
export function repeatedName(json: string): readonly (string | number)[] | null {
  const open: OpenValue[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at);
    const inner = open.at(-1);
    if (unit === QUOTE) {
      const end = endOfString(json, at);
      if (inner !== undefined && inner.names !== null && inner.step === null) {
        const name = JSON.parse(json.slice(at, end + 1)) as string;
        inner.step = name;
        if (inner.names.has(name)) return open.map(({ step }) => step ?? "");
        inner.names.add(name);
      }
      at = end;
    } else if (unit === OPEN_OBJECT) {
      open.push({ names: new Set(), step: null });
    } else if (unit === OPEN_ARRAY) {
      open.push({ names: null, step: 0 });
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_ARRAY) {
      open.pop();
    } else if (unit === COMMA && inner !== undefined) {
      inner.step = typeof inner.step === "number" ? inner.step + 1 : null;
    }
  }
  return null;
}
