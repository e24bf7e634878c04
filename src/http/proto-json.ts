import type { Failure } from "../domain/ledger/failure.ts";
import { type Intake, throwAway } from "./intake.ts";
import { type BodyFailure, isEncoded, type JsonBody, parseJson, readBytes } from "./read-body.ts";

// JSON as Google's servers take it: names may have no quotes, strings may be in single quotes, a field may
// be named as in the `.proto` file (`requested_attributes`), and null is the same as absent. Their own
// quickstart uses this form. https://protobuf.dev/programming-guides/json/

/** Takes any content type: curl declares a form by default. */
export async function readProtoJson(
  request: Request,
  limitBytes: number,
  intake: Intake,
): Promise<JsonBody | Failure> {
  if (isEncoded(request.headers)) {
    const because = { kind: "unsupported_media_type", expected: "application/json" } as const;
    return throwAway(request, limitBytes, { intake, because });
  }
  const bytes = await readBytes(request, limitBytes, intake);
  return bytes instanceof Uint8Array ? parseProtoJson(bytes) : bytes;
}

export function parseProtoJson(bytes: Uint8Array): JsonBody | BodyFailure {
  const strict = parseJson(bytes);
  const read = strict.kind === "json" ? strict : parseJson(quoted(bytes));
  // For a text that is JSON in neither form, the strict parser's error is the helpful one.
  if (read.kind !== "json") return strict;
  return { ...read, bytes, value: conform(read.value) };
}

/**
 * One token after the other. A string without an end takes the whole rest, so that no character is read
 * twice.
 */
const TOKEN =
  /"(?:[^"\\]|\\[^])*"|'((?:[^'\\]|\\[^])*)'|["'][^]*|([A-Za-z_$][\w$]*)(?=(\s*:)?)|[\d.eE+-]+|[^"'\w$.+-]+|[^]/g;

const quoted = (bytes: Uint8Array): Uint8Array => {
  const text = new TextDecoder().decode(bytes);
  const strict = text.replaceAll(
    TOKEN,
    (token: string, single?: string, name?: string, colon?: string) => {
      if (single !== undefined) return inDoubleQuotes(single);
      return name !== undefined && colon !== undefined ? `"${name}"` : token;
    },
  );
  return new TextEncoder().encode(strict);
};

const inDoubleQuotes = (single: string): string =>
  `"${single.replaceAll(/\\[^]|"/g, (found) => (found === '"' ? '\\"' : found === "\\'" ? "'" : found))}"`;

const PROTO_NAME = /^[a-z][a-z\d]*(?:_[a-z\d]+)+$/;

const fieldName = (name: string): string =>
  PROTO_NAME.test(name)
    ? name.replaceAll(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase())
    : name;

/** Recursive: `parseJson` has limited how deep a value nests. */
function conform(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(conform);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      // The keys of maps are the caller's own, and no map here has keys in lower case.
      .filter(([name, inner]) => inner !== null || !/^[a-z]/.test(name))
      .map(([name, inner]) => [fieldName(name), conform(inner)]),
  );
}
