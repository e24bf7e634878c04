// The form of a question to a language model that judges, and the strict reading of its answer: one JSON
// object with exactly the expected keys and the nonce of the question.

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}
export interface ImagePart {
  readonly type: "image_url";
  readonly image_url: { readonly url: string };
}
export interface Message {
  readonly role: "system" | "user";
  readonly content: string | readonly (TextPart | ImagePart)[];
}

export const SCORE_SCHEMA = { type: "integer", minimum: 0, maximum: 100 } as const;

/** JSON schema of an object that has exactly these properties, for `response_format`. */
export const answerSchema = (
  properties: Readonly<Record<string, unknown>>,
): Record<string, unknown> => ({
  type: "object",
  properties: { nonce: { type: "string" }, ...properties },
  required: ["nonce", ...Object.keys(properties)],
  additionalProperties: false,
});

/** Room for the whitespace of pretty printing. */
export const MAX_ANSWER_LENGTH = 4_096;

/**
 * The entries of an answer without its nonce.
 *
 * @param optional keys that may be absent
 * @returns null when it is not an object of those keys, or does not echo the nonce
 */
export function readEntries(
  answer: unknown,
  nonce: string,
  {
    keys,
    optional = [],
  }: { readonly keys: readonly string[]; readonly optional?: readonly string[] },
): ReadonlyMap<string, unknown> | null {
  const value = typeof answer === "string" ? parseAnswer(answer) : answer;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = new Map<string, unknown>(Object.entries(value));
  if (entries.get("nonce") !== nonce) return null;
  entries.delete("nonce");
  if (!keys.every((key) => entries.has(key))) return null;
  const isKnown = (key: string): boolean => keys.includes(key) || optional.includes(key);
  return [...entries.keys()].every(isKnown) ? entries : null;
}

/** The score from 0 to 1; null unless it is a whole number from 0 to 100. */
export function readScore(score: unknown): number | null {
  if (typeof score !== "number" || !Number.isInteger(score)) return null;
  if (score < 0 || score > 100) return null;
  return Math.abs(score) / 100; // JSON can say -0
}

function parseAnswer(text: string): unknown {
  if (text.length > MAX_ANSWER_LENGTH) return null;
  try {
    const value: unknown = JSON.parse(text);
    return hasDuplicateKey(text) ? null : value;
  } catch {
    return null;
  }
}

/**
 * Whether an object in a valid JSON text names a key twice. `JSON.parse` keeps the last, so a text
 * that gets a model to repeat a key would overwrite its score.
 */
export function hasDuplicateKey(json: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, name, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")([ \t\n\r]*:)?|[{}]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (name !== undefined && colon !== undefined) {
      const key: string = JSON.parse(name);
      const keys = open.at(-1);
      if (keys?.has(key) === true) return true;
      keys?.add(key);
    }
  }
  return false;
}
