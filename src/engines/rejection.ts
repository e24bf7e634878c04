import { type Rejection, REJECTION_CODES } from "../domain/ledger/failure.ts";
import { retryAfterMs, retryAfterMsHeader } from "../domain/text/retry-after.ts";
import { FAILED, failedWith, field, type NoReply, refused, TIMED_OUT } from "./engine-call.ts";

// The reason why an engine rejects a request: a context that is too long, a schema that it cannot
// read, a text that it filters. Only the caller can mend that, so the caller gets the reason.

/** Statuses about the request itself; others, such as 401, 403 and 404, are about this deployment. */
const STATUSES = [400, 413, 422] as const;

/** Of any other 4xx but these, the code may say that it is about the request. */
const NEVER_REJECTIONS: readonly number[] = [401, 408, 429];

/** Whether an error with this status may be about the request, so that its body must be read. */
export const mayReject = (status: number | null): boolean =>
  status !== null && status >= 400 && status < 500 && !NEVER_REJECTIONS.includes(status);

/** Statuses of errors that servers send with status 200 and a name as `code`, before a model ran. */
const STATUS_OF_CODE: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ...REJECTION_CODES.map((code) => [code, 400] as const),
  ["invalid_api_key", 401],
  ["model_not_found", 404],
  ["rate_limit_exceeded", 429],
]);

const MAX_MESSAGE = 500;
const CODE = /^[\w.-]{1,64}$/;

/**
 * @param sent the body: OpenAI's `error`, Cloudflare's `errors` or `description`, another's `message` or
 *   `detail`, any of them in a list as Google has it, or plain text; null where there is none
 * @returns null for an error that is not about the request. Some servers filter with 403 and a code that
 *   says so: that is 400 here, as OpenAI has it
 */
export function rejectionIn(status: number | null, sent: unknown): Rejection | null {
  if (!mayReject(status)) return null;
  const body: unknown = Array.isArray(sent) ? sent[0] : sent;
  const errors = field(body, "errors");
  const error = Array.isArray(errors) ? errors[0] : (field(body, "error") ?? body);
  const code = field(error, "code") ?? field(body, "internalCode");
  const named = REJECTION_CODES.some((each) => each === code);
  const kept = STATUSES.find((each) => each === status) ?? (named ? 400 : undefined);
  if (kept === undefined) return null;
  const candidates = [
    error,
    ...["message", "description", "detail"].map((name) => field(error, name)),
    fieldIn(field(error, "detail")),
  ];
  const message = candidates.find((each) => typeof each === "string" && each.trim() !== "");
  return {
    status: kept,
    ...(isCode(code) && { code }),
    ...(typeof message === "string" && { message: oneLine(message) }),
  };
}

/** FastAPI's list of wrong fields: the first, with its place. The value that was sent is left out. */
function fieldIn(detail: unknown): string | null {
  const first: unknown = Array.isArray(detail) ? detail[0] : null;
  const message = field(first, "msg");
  if (typeof message !== "string" || message === "") return null;
  const place = field(first, "loc");
  const steps = Array.isArray(place) ? place.filter((step) => step !== "body") : [];
  return steps.length === 0 ? message : `${steps.join(".")}: ${message}`;
}

const LEAST_WAIT_MS = 1000;
/** A server that names a longer time is not believed. */
const MOST_WAIT_MS = 3_600_000;

/** How long a server asks to wait, 1 s to 1 h; null: its headers do not say, or not in a known form. */
export function statedWaitMs(headers: Headers, nowMs = Date.now()): number | null {
  const ms =
    retryAfterMsHeader(headers.get("retry-after-ms")) ??
    retryAfterMs(headers.get("retry-after"), nowMs);
  return ms === null ? null : Math.min(Math.max(ms, LEAST_WAIT_MS), MOST_WAIT_MS);
}

/**
 * Whether a status says that nothing ran for want of room. A 503 does if it names a time to come back;
 * without one it may be any failure, also of a model that ran.
 */
export const isBusy = (status: number | null, waitMs: number | null): boolean =>
  status === 429 || (status === 503 && waitMs !== null);

/** Adds the wait to a refusal that a repeat can mend. */
export const withWait = (outcome: NoReply, waitMs: number | null): NoReply =>
  outcome.kind === "refused" && outcome.retryable && waitMs !== null
    ? { ...outcome, retryAfterMs: waitMs }
    : outcome;

/** What an error status means for the hold. */
function outcomeOfStatus(status: number, waitMs: number | null): NoReply {
  if (isBusy(status, waitMs)) return withWait(refused(null, true, status), waitMs);
  if (status === 408) return TIMED_OUT;
  // A redirect is not followed: the text goes to the configured server or nowhere.
  if (status < 500) return refused(null, false, status);
  return failedWith(status);
}

/**
 * An error status with its body.
 *
 * @param waitMs as its headers say (`statedWaitMs`)
 */
export function outcomeOfError(
  status: number,
  body: unknown,
  waitMs: number | null = null,
): NoReply {
  const outcome = outcomeOfStatus(status, waitMs);
  const rejection = rejectionIn(status, body);
  return rejection !== null && outcome.kind === "refused" ? { ...outcome, rejection } : outcome;
}

/** An error that came with a good status, as routers in front of several servers send it. */
export function outcomeInBody(body: unknown): NoReply {
  const error = field(body, "error") ?? body;
  const code = field(error, "code");
  const status = STATUS_OF_CODE.get(code) ?? Number(code ?? field(error, "status"));
  return status >= 400 && status < 600 ? outcomeOfError(status, body) : FAILED;
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
