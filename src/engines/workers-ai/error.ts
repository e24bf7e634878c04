import { isBusy, rejectionIn, statedWaitMs, withWait } from "../rejection.ts";
import {
  FAILED,
  MALFORMED,
  failedWith,
  TIMED_OUT,
  field,
  type NoReply,
  readText,
  refused,
} from "../engine-call.ts";

// What an error of Workers AI means for the hold: nothing ran, it may have run, or it ran without a result.
// With `returnRawResponse` the body is as it was sent; without, the `Ai` class has thrown it with
// the code before the message. `lastRequestInternalStatusCode` is never read: it is shared by all
// calls and not reset, so a 5007 after a 3040 still says 3040.

/** An error as the wire has it: `{ internalCode, description }` or `{ errors: [{ code, message }] }`. */
export async function refusalIn(response: Response, signal: AbortSignal): Promise<NoReply> {
  const text = await readText(response.body, signal).catch(() => "");
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Plain text: the status decides.
  }
  const errors = field(body, "errors");
  const error: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const code = Number(field(body, "internalCode") ?? field(error, "code"));
  const known = Number.isSafeInteger(code) && code > 0 ? code : codeIn(text);
  const { status, headers } = response;
  const waitMs = statedWaitMs(headers);
  return withRejection(withWait(classify(known, { status, waitMs }, text), waitMs), {
    code: known,
    status,
    body: body ?? text,
  });
}

/** Codes that come with a 400 and are about the deployment, not the request. */
const OF_DEPLOYMENT: ReadonlySet<number> = new Set([5007]);

/** The status that a thrown code comes with on the wire. */
const STATUS_OF: ReadonlyMap<number | null, number> = new Map([
  [3003, 400],
  [3006, 413],
  [3030, 400],
  [3039, 400],
  [5004, 400],
  [5006, 400],
  [5021, 413],
  [5024, 400],
  [5025, 400],
]);

/** Adds the reason of the engine, where it rejected the request itself. */
function withRejection(
  outcome: NoReply,
  error: { readonly code: number | null; readonly status: number | null; readonly body: unknown },
): NoReply {
  if (outcome.kind === "timed_out" || OF_DEPLOYMENT.has(error.code ?? 0)) return outcome;
  if (outcome.kind === "refused" && (outcome.retryable || outcome.accountExhausted)) return outcome;
  const rejection = rejectionIn(error.status ?? STATUS_OF.get(error.code) ?? null, error.body);
  if (rejection === null) return outcome;
  const code = rejection.code ?? error.code;
  return { ...outcome, rejection: { ...rejection, ...(code !== null && { code }) } };
}

/** An error as the class throws it, and what the runtime throws when nothing came back. */
export function thrownBy(error: unknown): NoReply {
  const { name, message } = error instanceof Error ? error : new Error();
  if (name === "AbortError" || name === "TimeoutError") return TIMED_OUT;
  if (name === "AiInternalError") return refused(null); // misuse, found before anything was sent
  const code = codeIn(message);
  if (code !== null || name === "InferenceUpstreamError")
    return withRejection(classify(code, NO_REPLY, message), { code, status: null, body: message });
  if (NEVER_SENT.test(message)) return refused(null);
  if (NEVER_CONNECTED.test(message)) return refused(null, true);
  return FAILED;
}

/** The internal code begins the message: "3040: Capacity temporarily exceeded". */
function codeIn(message: string): number | null {
  const code = /^(?:[A-Za-z]{1,30}Error: ){0,3}(\d{4}): /.exec(message)?.[1];
  return code === undefined ? null : Number(code);
}

/** `wrangler dev` has no AI; a Worker's budget of subrequests is used up before one is sent. */
const NEVER_SENT = /needs to be run remotely|too many subrequests/i;

/**
 * Only messages that say so outright: workerd reports a refused and a lost connection alike, as "Network
 * connection lost.", both with `retryable: true`, and a lost one may have run.
 */
const NEVER_CONNECTED = /connection refused|ECONNREFUSED|connect\(\)|could not connect/i;

/**
 * Codes of refusals before a model ran. 3023 is "account blocked" (HTTP 403 in the platform's table,
 * https://developers.cloudflare.com/workers-ai/platform/errors/). That table does not have these:
 * - 5006: the input does not match the model's schema (400, https://github.com/cloudflare/ai/issues/279);
 * - 5021: the estimated tokens of the input and `max_tokens` are more than the context window (413);
 * - 5025: the model has no JSON mode (https://github.com/cloudflare/cloudflare-docs/issues/21316);
 * - 5028: the model was retired (410, https://github.com/cloudflare/cloudflare-docs/issues/32501).
 *
 * 3030 is none of them: models give it for an input that they cannot read and for an output that was
 * filtered after it was made ("Your output has been flagged").
 */
const REFUSED_CODES: ReadonlySet<number> = new Set([
  3003, 3006, 3023, 3036, 3039, 3040, 3041, 3042, 4006, 5004, 5005, 5006, 5007, 5016, 5018, 5019,
  5021, 5025, 5028, 5035,
]);
const NO_CAPACITY = 3040;
/** 3046 is "Request timeout", of a model that ran for 120 s. */
const TIMED_OUT_CODES: ReadonlySet<number> = new Set([3007, 3008, 3046]);
/** The model ran and could not be held to the schema. It comes with a 4xx; some messages say "JSON Model". */
const JSON_MODE_UNMET_CODE = 5024;
const JSON_MODE_UNMET = /json model? could ?n[o']t be met/i;

/** What a reply says beside its code; `waitMs`: how long it asks to wait. */
interface Sent {
  readonly status: number | null;
  readonly waitMs: number | null;
}

const NO_REPLY: Sent = { status: null, waitMs: null };

/**
 * The code decides; the status counts only where there is no code we know. A 429 without a code is rate
 * limiting, and a 503 that names a wait says the same; any other 4xx without a code was stopped before a
 * model ran. A 4xx with a code that is not listed may have run (as JSON mode's does), so it counts as
 * failed: a text that provokes one must not be a way to run models without a charge.
 */
function classify(code: number | null, { status, waitMs }: Sent, message: string): NoReply {
  if (code === JSON_MODE_UNMET_CODE || JSON_MODE_UNMET.test(message)) return MALFORMED;
  if (code !== null && REFUSED_CODES.has(code)) {
    return refused(code, code === NO_CAPACITY, status);
  }
  if (code !== null && TIMED_OUT_CODES.has(code)) return TIMED_OUT;
  if (isBusy(status, waitMs)) return refused(code, true, status);
  if (status === 408) return TIMED_OUT;
  if (code === null && status !== null && status >= 300 && status < 500) {
    return refused(null, false, status);
  }
  return failedWith(status);
}
