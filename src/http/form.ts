import type { FieldError } from "../domain/ledger/failure.ts";
import { sha256Hex, utf8 } from "./call-labels.ts";
import { type Part, plain } from "./multipart.ts";
import { Upload } from "./upload.ts";

// A form's parts as one object for its schema, and as one fingerprint for idempotency.

export type FormFields = Readonly<Record<string, unknown>>;

/**
 * A name that ends in `[]` is a list under the name before it, as the official clients send arrays. A
 * name in `lists` is a list too; any other name must be sent once.
 *
 * @param lists names of lists that some clients send without the brackets
 * @returns fields, collected without a prototype: `__proto__` is a field like any other
 */
export function fieldsOf(
  parts: readonly Part[],
  lists: readonly string[] = [],
): FormFields | FieldError {
  const fields: Record<string, unknown> = Object.create(null);
  for (const { name, value } of parts) {
    const isBracketed = name.endsWith("[]");
    const field = isBracketed ? name.slice(0, -2) : name;
    const isList = isBracketed || lists.includes(name);
    const before = fields[field];
    if (before === undefined) fields[field] = isList ? [value] : value;
    else if (isList && Array.isArray(before)) before.push(value);
    else return { path: [plain(name)], detail: "must be sent once" };
  }
  return { ...fields };
}

/**
 * The same for the same fields and files. The boundary and the way in which the client wrote the headers
 * of the parts do not change it.
 */
export async function formFingerprint(parts: readonly Part[]): Promise<string> {
  const named = await Promise.all(
    parts.map(async ({ name, value }) =>
      value instanceof Upload
        ? [name, value.name, value.contentType, await sha256Hex(value.bytes)]
        : [name, value],
    ),
  );
  return sha256Hex(utf8(JSON.stringify(named)));
}
