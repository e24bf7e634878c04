import type { Rejection } from "../domain/ledger/failure.ts";
import { field } from "./engine-call.ts";

// The reason why an engine rejects a request: a context that is too long, a schema that it cannot
// read, a text that it filters. Only the caller can mend that, so the caller gets the reason.

/** Statuses about the request itself; 401, 403 and 404 are about this deployment. */
const STATUSES = [400, 413, 422] as const;

const MAX_MESSAGE = 500;
const CODE = /^[\w.-]{1,64}$/;

/**
 * @param body as it was sent: OpenAI's `error`, Cloudflare's `errors` or `description`, or another's
 *   `message` or `detail`; null where it is not JSON
 * @returns null for a status that is not about the request
 */
export function rejectionIn(status: number | null, body: unknown): Rejection | null {
  const kept = STATUSES.find((each) => each === status);
  if (kept === undefined) return null;
  const errors = field(body, "errors");
  const error = Array.isArray(errors) ? errors[0] : (field(body, "error") ?? body);
  const candidates = [
    error,
    ...["message", "description", "detail"].map((name) => field(error, name)),
  ];
  const message = candidates.find((each) => typeof each === "string" && each.trim() !== "");
  const code = field(error, "code") ?? field(body, "internalCode");
  return {
    status: kept,
    ...(isCode(code) && { code }),
    ...(typeof message === "string" && { message: oneLine(message) }),
  };
}

const isCode = (code: unknown): code is string | number =>
  Number.isSafeInteger(code) || (typeof code === "string" && CODE.test(code));

/** Cut by characters, so that none is halved. */
const oneLine = (message: string): string =>
  Array.from(
    message
      .slice(0, 4 * MAX_MESSAGE)
      .replace(/[\p{Cc}\p{Cs}\s]+/gu, " ")
      .trim(),
  )
    .slice(0, MAX_MESSAGE)
    .join("");
