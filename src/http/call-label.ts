import { idempotencyOf } from "./idempotency.ts";
import { invalid, type InvalidRequest } from "./field-errors.ts";

// What a request that is admitted says of itself in headers: a key under which a repeat is the same call,
// and a label of the caller's own, by which it finds its calls in the log of inferences.

const HEADER = "x-neurogate-context";

/** Letters, digits and `._:/@-`: no text, and nothing that a table or a log would take for more. */
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,63}$/;

/** The label; null: there is none. */
export function contextOf({ headers }: Request): string | null | InvalidRequest {
  const label = headers.get(HEADER)?.trim() ?? "";
  if (label === "") return null;
  if (LABEL.test(label)) return label;
  return invalid(
    [HEADER],
    "must be 1 to 64 characters, beginning with a letter or a digit: letters, digits and . _ : / @ -",
  );
}

/** The idempotency key and the label of a request; the failure, if one of them is not well formed. */
export async function labelsOf(call: Parameters<typeof idempotencyOf>[0]): Promise<
  | (Extract<Awaited<ReturnType<typeof idempotencyOf>>, { kind: "read" }> & {
      readonly context: string | null;
    })
  | InvalidRequest
> {
  const context = contextOf(call.request);
  if (context !== null && typeof context !== "string") return context;
  const read = await idempotencyOf(call);
  return read.kind === "read" ? { ...read, context } : read;
}
