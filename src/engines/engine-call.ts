import { parseExactly } from "../io/exact-json.ts";
import type { Usage } from "../domain/catalogue/catalogue.ts";
import type { CheckOptions, CheckOutcome, Label, Unanswered } from "./engine.ts";

// For every adapter that calls a server: a deadline that always holds, and a limit on the size of a
// reply.

/** A reply with its JSON body, parsed and not yet interpreted; or the reason why there is none. */
export type Reply =
  | { readonly kind: "replied"; readonly value: unknown }
  | Exclude<CheckOutcome, { kind: "answered" | "unsupported" }>;

/** A verdict takes 1 KB, 1,000 image labels take 60 KB. A longer reply counts as failed. */
const MAX_REPLY_BYTES = 1_048_576;

/** Why there is no reply. */
export type NoReply = Exclude<Reply, { kind: "replied" }>;

export const FAILED: NoReply = { kind: "failed", usage: null };
/** The model ran, but its answer does not have the form we asked for. */
export const MALFORMED: NoReply = { kind: "failed", usage: null, malformed: true };
export const TIMED_OUT: NoReply = { kind: "timed_out" };

export function refused(
  code: number | null,
  retryable = false,
  status: number | null = null,
): NoReply {
  const accountExhausted = code === 3036 || code === 4006;
  return { kind: "refused", code, retryable, accountExhausted, ...(status !== null && { status }) };
}

/** The outcome for an error status; null: there was no status. */
export const failedWith = (status: number | null): NoReply =>
  status === null ? FAILED : { kind: "failed", usage: null, status };

/**
 * Runs a call and gives up at the deadline, or when the caller's signal fires, even if the call
 * ignores the signal it was given.
 */
export function withDeadline(
  { timeoutMs, signal }: CheckOptions,
  call: (signal: AbortSignal) => Promise<Reply>,
): Promise<Reply> {
  if (signal?.aborted === true) return Promise.resolve(TIMED_OUT);
  const controller = new AbortController();
  return new Promise((resolve) => {
    const giveUp = (): void => {
      resolve(TIMED_OUT);
      controller.abort();
    };
    const timer = setTimeout(giveUp, timeoutMs);
    signal?.addEventListener("abort", giveUp, { once: true });
    const end = (reply: Reply): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      // If the call was given up before, this has no effect.
      resolve(reply);
    };
    call(controller.signal).then(end, () => end(FAILED));
  });
}

/** The JSON of a body of bounded size. Throws when it is too large, cut, or not JSON. */
export async function readJson(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
  maxBytes: number = MAX_REPLY_BYTES,
): Promise<unknown> {
  const text = await readText(body, signal, maxBytes);
  return parseExactly(text);
}

export async function readText(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
  maxBytes: number = MAX_REPLY_BYTES,
): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  // A call may ignore the signal: its body would otherwise go on arriving.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) break;
      bytes += value.byteLength;
      if (bytes > maxBytes) {
        cancel();
        throw new Error("The reply of the engine is too large");
      }
      text += decoder.decode(value, { stream: true });
    }
    return text + decoder.decode();
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Whether a reply says that it is JSON, with or without parameters such as a charset. */
export function isJson(response: Response): boolean {
  const type = response.headers.get("content-type") ?? "";
  return /^application\/json\s*(;|$)/i.test(type);
}

/** `usage` of a chat completion in the price table's units; null when absent or implausible. */
export function readUsage(reply: unknown): Usage | null {
  const usage = field(reply, "usage");
  const prompt = countIn(usage, "prompt_tokens");
  const completion = countIn(usage, "completion_tokens");
  const details = field(usage, "prompt_tokens_details");
  const hasCached = (field(details, "cached_tokens") ?? null) !== null;
  const cached = hasCached ? countIn(details, "cached_tokens") : 0;
  if (prompt === null || completion === null || cached === null || cached > prompt) return null;
  const reasoning = countIn(field(usage, "completion_tokens_details"), "reasoning_tokens");
  return {
    input_token: prompt - cached,
    output_token: completion,
    ...(cached > 0 && { cached_input_token: cached }),
    // A part of the output tokens: a larger count is implausible.
    ...(reasoning !== null && reasoning <= completion && { reasoning_token: reasoning }),
  };
}

/** A count of tokens, which some servers write as a string of digits; null for anything else. */
export function countIn(usage: unknown, name: string): number | null {
  const value = field(usage, name);
  const isWritten = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
  const count = isWritten ? Number(value) : -1;
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
}

/** An own property of a value from outside; undefined when there is none. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

/** ImageNet has 1,000 classes; no classifier here has more. */
const MAX_LABELS = 1_000;
const MAX_LABEL_LENGTH = 200;

/** Reads `[{ label, score }]` of a classifier; null when an item has another form, or there is none. */
export function readLabels(value: unknown): Label[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_LABELS) return null;
  const labels: Label[] = [];
  for (const item of value) {
    const label = readLabel(item);
    if (label === null) return null;
    labels.push(label);
  }
  return labels;
}

export function readLabel(item: unknown): Label | null {
  const name = field(item, "label");
  const score = field(item, "score");
  if (typeof name !== "string" || name.length > MAX_LABEL_LENGTH) return null;
  if (typeof score !== "number" || !(score >= 0 && score <= 1)) return null;
  return { name, score };
}

// Calls a model, and repeats the call or falls back to another model if it must. Only a call that was
// refused before it ran is repeated or falls back: any other call may have been charged.

/** The wait before the one repeat of a call that found no capacity or no connection. */
const RETRY_AFTER_MS = 250;

/** An engine that asks for a longer wait is not asked again within the call. */
const MOST_RETRY_AFTER_MS = 1000;

export interface ModelOutcome<Outcome> {
  /** The catalogue id of the last model that was called. */
  readonly model: string;
  readonly outcome: Outcome | Extract<Unanswered, { kind: "timed_out" }>;
  /** Whether the model may have used anything: false when it was refused or never called. */
  readonly ran: boolean;
}

/**
 * @param models catalogue ids in the order of the calls; the first is the planned one
 * @param ask calls one model; null: the time was up before the call
 */
export async function askModels<Outcome extends { readonly kind: string }>(
  [planned, ...fallbacks]: readonly [string, ...string[]],
  ask: (model: string) => Promise<Outcome | Unanswered | null>,
): Promise<ModelOutcome<Outcome | Unanswered>> {
  const first = await askTwice(() => ask(planned));
  if (first === null) return { model: planned, outcome: { kind: "timed_out" }, ran: false };
  let last = outcomeOf(planned, first);
  let waitMs = waitOf(first);
  for (const fallback of fallbacks) {
    if (!fallsBack(last.outcome)) break;
    // oxlint-disable-next-line no-await-in-loop -- each only when the one before was refused
    const next = await askTwice(() => ask(fallback));
    if (next === null) break;
    last = outcomeOf(fallback, next);
    waitMs = Math.min(waitMs, waitOf(next));
  }
  const { outcome } = last;
  // A repeat succeeds as soon as one of the models has room.
  return isRefused(outcome) && outcome.retryable && waitMs < Infinity
    ? { ...last, outcome: { ...outcome, retryAfterMs: waitMs } }
    : last;
}

/** Infinity: the engine does not say. */
const waitOf = (outcome: { readonly kind: string }): number =>
  isRefused(outcome) ? (outcome.retryAfterMs ?? Infinity) : Infinity;

const outcomeOf = <Outcome extends { readonly kind: string }>(
  model: string,
  outcome: Outcome,
): ModelOutcome<Outcome> => ({
  model,
  outcome,
  ran: outcome.kind !== "refused" && outcome.kind !== "unsupported",
});

/** Once the account's allocation is used up, its other models would be refused as well. */
const fallsBack = (outcome: { readonly kind: string }): boolean =>
  isRefused(outcome) && !outcome.accountExhausted;

type Refused = Extract<Unanswered, { kind: "refused" }>;

const isRefused = (outcome: { readonly kind: string }): outcome is Refused =>
  outcome.kind === "refused";

async function askTwice<Outcome extends { readonly kind: string }>(
  ask: () => Promise<Outcome | null>,
): Promise<Outcome | null> {
  const outcome = await ask();
  if (outcome === null || !isRefused(outcome) || !outcome.retryable) return outcome;
  const waitMs = outcome.retryAfterMs ?? RETRY_AFTER_MS;
  if (waitMs > MOST_RETRY_AFTER_MS) return outcome;
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  return (await ask()) ?? outcome;
}
