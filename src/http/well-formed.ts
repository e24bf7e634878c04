import { isExactNumber } from "../io/exact-json.ts";

// JSON can spell half a surrogate pair (`"cut: \\ud83d"`), which UTF-8 cannot. If it were kept, later
// requests with it would fail, such as every later turn of a chat. It is repaired where bodies come in, so
// that no other code ever sees one.

/**
 * A parsed value with U+FFFD for each half of a pair, in names too. It recurses once a level: the value
 * nests no deeper than `MAX_DEPTH`.
 */
export function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null || isExactNumber(value)) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name.toWellFormed(), wellFormed(one)]),
  );
}
