import type { NeuronBalance } from "../domain/ledger/failure.ts";
import { MICRO_PER_NEURON, type MicroNeurons } from "../domain/ledger/micro-neurons.ts";
import { MONTHLY } from "../domain/ledger/quota.ts";
import type { RateStatus } from "../domain/ledger/rate-limit.ts";

// The headers that tell a caller its limits.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11: structured fields
// (RFC 9651) in which a policy's name is a string. No `pk`: it would expose the tenant.

const WINDOW_S = 60;
const DAY_S = 86_400;

/** The figures of the tenant's day that headers need: a successful call has nothing `required`. */
export type DailyBalance = Pick<
  NeuronBalance,
  "posted" | "pending" | "available" | "dailyQuota" | "dayEndsAtMs" | "month"
>;

/** One policy with its state. */
export interface Limit {
  readonly name: string;
  readonly quota: number;
  readonly unit?: "neurons" | "concurrent-requests";
  readonly windowS?: number;
  readonly remaining: number;
  /** Null: nothing is counted, so nothing will be freed. */
  readonly resetS: number | null;
}

export const secondsUntil = (moment: number, nowMs: number): number =>
  Math.max(0, Math.ceil((moment - nowMs) / 1000));

/** Whole neurons, rounded down, so never too many. */
const wholeNeurons = (amount: number): number => Math.floor(amount / MICRO_PER_NEURON);

export const rateLimit = (rate: RateStatus, nowMs: number): Limit => ({
  name: rate.name,
  quota: rate.limit,
  windowS: WINDOW_S,
  remaining: rate.remaining,
  resetS: rate.freesAtMs === null ? null : secondsUntil(rate.freesAtMs, nowMs),
});

/** Where nothing limits the day (paid, no cap), it shows the rest of the included quota. */
export function dailyLimit(day: DailyBalance, nowMs: number): Limit {
  const left = day.available ?? Math.max(0, day.dailyQuota - day.posted - day.pending);
  return {
    name: "daily",
    quota: wholeNeurons(day.dailyQuota),
    unit: "neurons",
    windowS: DAY_S,
    remaining: wholeNeurons(left),
    resetS: secondsUntil(day.dayEndsAtMs, nowMs),
  };
}

/** The day, and the month where it has a cap. */
export function neuronLimits(neurons: DailyBalance, nowMs: number): readonly Limit[] {
  const day = dailyLimit(neurons, nowMs);
  const { month } = neurons;
  if (month === undefined) return [day];
  const cap: Limit = {
    name: MONTHLY,
    quota: wholeNeurons(month.limit),
    unit: "neurons",
    windowS: (month.endsAtMs - month.startsAtMs) / 1000,
    remaining: wholeNeurons(month.available),
    resetS: secondsUntil(month.endsAtMs, nowMs),
  };
  return [day, cap];
}

/** RFC 9651, 3.3.3: a string has printable ASCII, with quote and backslash escaped. */
const sfString = (text: string): string =>
  `"${text.replace(/[^ -~]/g, "?").replace(/["\\]/g, "\\$&")}"`;

const policyItem = ({ name, quota, unit, windowS }: Limit): string =>
  `${sfString(name)};q=${quota}` +
  (unit === undefined ? "" : `;qu=${sfString(unit)}`) +
  (windowS === undefined ? "" : `;w=${windowS}`);

const stateItem = ({ name, remaining, resetS }: Limit): string =>
  `${sfString(name)};r=${remaining}${resetS === null ? "" : `;t=${resetS}`}`;

export const limitHeaders = (limits: readonly Limit[]): Record<string, string> => ({
  "RateLimit-Policy": limits.map(policyItem).join(", "),
  RateLimit: limits.map(stateItem).join(", "),
});

/** `RateLimit-Policy` and `RateLimit` of an admitted call. */
export function rateLimitHeaders(standing: {
  readonly rates: readonly RateStatus[];
  readonly neurons: DailyBalance;
  readonly nowMs: number;
}): Record<string, string> {
  const { rates, neurons, nowMs } = standing;
  return limitHeaders([
    ...rates.map((rate) => rateLimit(rate, nowMs)),
    ...neuronLimits(neurons, nowMs),
  ]);
}

/** A duration as Go prints it, which is what OpenAI sends: `12ms`, `1s`, `12.41s`, `6m0s`. */
export function goDuration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** OpenAI's headers have one limit of requests: that of the class with the least left. */
export function openAiRateHeaders(
  rates: readonly RateStatus[],
  nowMs: number,
): Record<string, string> {
  const [first, ...others] = rates;
  if (first === undefined) return {};
  const least = others.reduce((a, b) => (b.remaining < a.remaining ? b : a), first);
  return {
    "x-ratelimit-limit-requests": String(least.limit),
    "x-ratelimit-remaining-requests": String(least.remaining),
    "x-ratelimit-reset-requests": goDuration(Math.max(0, (least.freesAtMs ?? nowMs) - nowMs)),
  };
}

/** Our own headers. An absent value is not sent. */
export function callHeaders(call: {
  /** This call's; for a stream the held amount. */
  readonly microNeurons?: MicroNeurons;
  /** Null where nothing limits the day. */
  readonly available?: MicroNeurons | null;
  readonly engine?: string;
  readonly cache?: "hit" | "miss";
  readonly clampedMaxTokens?: number;
  readonly replayed?: boolean;
}): Record<string, string> {
  const headers: Record<string, string | undefined> = {
    "x-neurogate-engine": call.engine,
    "x-neurogate-micro-neurons": call.microNeurons?.toString(),
    "x-neurogate-available-micro-neurons": call.available?.toString(),
    "x-neurogate-cache": call.cache,
    "x-neurogate-clamped-max-tokens": call.clampedMaxTokens?.toString(),
    "idempotency-replayed": call.replayed === true ? "true" : undefined,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
