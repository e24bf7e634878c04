import type {
  Failure,
  FieldError,
  Fitting,
  QuotaFailure,
  RateFailure,
  ReservedFailure,
} from "../domain/ledger/failure.ts";
import { AUTO } from "../domain/generation/routing.ts";
import { counted } from "../domain/text/counted.ts";
import { formatNeurons } from "../domain/ledger/micro-neurons.ts";
import { inTheWay } from "../domain/ledger/quota.ts";
import { isoTime } from "../domain/ledger/period.ts";
import { asksNoEngine } from "../domain/ledger/rate-limit.ts";
import { paramName } from "./field-errors.ts";

// The sentence of a failure for people, in every shape. It repeats nothing that a caller wrote but the
// name of a model, and that only when it looks like one.

const MODEL_NAME = /^@?[\w./:-]{1,100}$/;

const named = (model: string): string =>
  MODEL_NAME.test(model) ? `The model ${model}` : "That model";

/** What the caller can do at once. */
export const fitting = ({ fittingMaxTokens }: Fitting): string =>
  fittingMaxTokens === undefined
    ? ""
    : ` An answer of at most ${fittingMaxTokens} tokens would fit now.`;

const RESETS = "The quota resets at 00:00 UTC.";

/** When the quota that refused the call resets. */
const resets = (failure: QuotaFailure): string =>
  failure.policy === undefined
    ? RESETS
    : `The month resets at ${isoTime(inTheWay(failure).anewAtMs)}.`;

/** The need of the call and the free neurons: `… and 4.1 of today's 10000 are free`. */
function shortOfNeurons(failure: QuotaFailure | ReservedFailure): string {
  const neurons = inTheWay(failure);
  const limit = formatNeurons(neurons.limit ?? failure.neurons.dailyQuota);
  const of = failure.policy === undefined ? "today's" : "this month's";
  const free =
    neurons.available === null
      ? ""
      : ` and ${formatNeurons(neurons.available)} of ${of} ${limit} are free`;
  const held =
    neurons.pending === 0
      ? ""
      : ` (${formatNeurons(neurons.pending)} more are held by calls in progress)`;
  return `This call may need ${formatNeurons(neurons.required)} neurons${free}${held}.`;
}

const LEASED =
  "The neurons that the account behind this service has left today are leased to other tenants; some may come back. Nothing was charged.";

const PICTURES_MADE =
  "So many pictures are being transformed that this one had no turn: ask for it again in a second.";

const BODIES_HELD =
  "So many large requests are in progress that there is no room for this one's body: send it again in a second. Nothing was charged.";

/** It does not say how much is left: that would show what other tenants use. */
const tooLargeForAccount = ({ neurons }: QuotaFailure): string =>
  `This call may need ${formatNeurons(neurons.required)} neurons: it is too large for what is left of the account behind this service today. A smaller call may be admitted. Nothing was charged. ${RESETS}`;

/** The class that refused the call; with several, the first. */
export const violatedRate = (failure: RateFailure): RateFailure["rates"][number] | undefined =>
  failure.rates.find((rate) => failure.violated.includes(rate.name));

function rateDetail(failure: RateFailure): string {
  if (failure.userPictures !== undefined) {
    const { used, limit, ofNobody } = failure.userPictures;
    const who = ofNobody === true ? "Calls without a user_id have" : "This user has";
    return `${who} made ${used} of ${counted(limit, "picture")} today, and this call needs more than are left. The count resets at 00:00 UTC. Nothing was charged.`;
  }
  const wait = `${Math.max(1, failure.fitsAtMs - failure.nowMs) / 1000} s`;
  const rate = violatedRate(failure);
  if (failure.ofAccount === true && rate !== undefined) {
    return `All tenants together may make ${counted(rate.limit, `${rate.name} request`)} a minute, and others wait too; one more fits in ${wait}. Nothing was charged.`;
  }
  if (rate === undefined) return `Such a call fits in ${wait}. Nothing was charged.`;
  const admitted = `${admittedOf(rate)} admitted in the last 60 s`;
  return rate.remaining === 0
    ? `${admitted}; one more fits in ${wait}. Nothing was charged.`
    : `${admitted} and this call needs more than the ${rate.remaining} that are left; it fits in ${wait}. Nothing was charged.`;
}

function admittedOf({ name, limit, remaining }: RateFailure["rates"][number]): string {
  const count = limit - remaining;
  const requests = asksNoEngine(name)
    ? counted(count, `unit of ${name}`, `units of ${name}`)
    : counted(count, `${name} request`);
  return `${requests} ${count === 1 ? "was" : "were"}`;
}

/** The first wrong field as a sentence: `images[0].url must start with https: (and 2 more).` */
function fieldDetail(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (first === undefined) return "The request is not valid.";
  const more = errors.length === 1 ? "" : ` (and ${errors.length - 1} more)`;
  return `${paramName(first.path) ?? "The body"} ${first.detail}${more}.`;
}

const askedWait = (ms: number | undefined): string =>
  ms === undefined ? "" : ` It asks to wait ${counted(Math.ceil(ms / 1000), "second")}.`;

/** The reason (a key, an address, a model) is the operator's matter and is not given. */
const ENGINE_REFUSED = "The engine refused the call, and would refuse a repeat.";

const charge = (charged: boolean): string =>
  charged ? "The neurons that it may have used were charged." : "Nothing was charged.";

const nearby = ([first, ...others]: readonly string[]): string => {
  if (first === undefined) return "";
  return others.length === 0
    ? ` Did you mean ${first}?`
    : ` Nearby: ${[first, ...others].join(", ")}.`;
};

const everyPath = (what: string): string =>
  what === "path" ? " GET /openapi.json lists every path." : "";

export function failureDetail(failure: Failure): string {
  switch (failure.kind) {
    case "invalid_key":
      return "The request has no valid key for this route. Send one as: Authorization: Bearer <key>.";
    case "tenant_suspended":
      return "This tenant is suspended.";
    case "role_required":
      return `This route needs a key with the role ${[...new Set([...failure.roles, "manage"])].join(" or ")}.`;
    case "model_not_allowed":
      return failure.model === AUTO
        ? "No model of the routing table is among this tenant's models and can take this call: it may be too long for all of them."
        : `${named(failure.model)} is not among this tenant's models.`;
    case "invalid_request":
      return fieldDetail(failure.errors);
    case "unpriced_model":
      return `${named(failure.model)} has no price here, so it cannot be governed. It runs if the operator of this deployment sets one (PRICES).`;
    case "unbounded_usage":
    case "unsupported_parameter":
    case "review_conflict":
    case "apply_conflict":
    case "engine_unsupported":
    case "comment_refused":
      return failure.detail;
    case "webhook_disabled":
      return `The endpoint ${failure.webhook} is disabled: enable it, then replay.`;
    case "over_limit":
      return `${failure.detail}${fitting(failure)}`;
    case "not_found":
      return `There is no such ${failure.what}.${nearby(failure.nearby ?? []) || everyPath(failure.what)}`;
    case "method_not_allowed":
      return `This path takes ${failure.allow.join(", ")} and no other method.`;
    case "model_not_found":
      return `${named(failure.model)} does not exist here.`;
    case "model_retired":
      return failure.replacement === null
        ? `${named(failure.model)} was retired.`
        : `${named(failure.model)} was retired; use ${failure.replacement}.`;
    case "body_too_large":
      return `The body may have at most ${failure.limitBytes} bytes.`;
    case "unsupported_media_type":
      return `The body must be ${failure.expected}, uncompressed or in gzip, deflate or br.`;
    case "idempotency_key_reused":
      return "This idempotency key was used before with another request. Use a new key.";
    case "idempotency_in_progress":
      return failure.what === "embedding"
        ? "Another call embeds this document. Repeat the request after a second: then it costs nothing."
        : "The first call with this idempotency key is still in progress.";
    case "session_busy":
      return `${counted(failure.inLine, "message of this session is", "messages of this session are")} being answered or in line. Send this one when one of them was answered. Nothing was charged.`;
    case "idempotency_replay_unavailable":
      if ("subject" in failure) {
        return `The first request with this idempotency key made ${failure.subject}, which was deleted or has expired since. Use a new key to make another.`;
      }
      return `The call with this idempotency key was made and its reply was not kept: it cost ${formatNeurons(failure.charged)} neurons, see ${failure.journalLineId}. It is not run again.`;
    case "version_conflict":
      return `The version in force is ${failure.version}.`;
    case "quota_exceeded":
      return `${shortOfNeurons(failure)}${fitting(failure)} ${resets(failure)}`;
    case "overage_cap_exceeded":
      return `${shortOfNeurons(failure)}${failure.policy === undefined ? " That is the quota with the overage cap." : ""}${fitting(failure)} ${resets(failure)}`;
    case "account_quota_exceeded":
      if (failure.reason === "too_large_for_account") return tooLargeForAccount(failure);
      return `The Cloudflare account behind this service has no neurons left today. ${RESETS}`;
    case "rate_limited":
      return rateDetail(failure);
    case "quota_reserved":
      if (failure.againAtMs !== undefined) return LEASED;
      return `${shortOfNeurons(failure)} It fits as soon as they end.${fitting(failure)} Nothing was charged.`;
    case "concurrency_exceeded":
      return `${counted(failure.limit, "call is", "calls are")} in progress, which is this tenant's limit; one more fits when one of them ends. Nothing was charged.`;
    case "upstream_rejected": {
      const reason = failure.upstream.message ?? "it gives no reason";
      const stop = /[.!?]$/.test(reason) ? "" : ".";
      return `The model rejected this request: ${reason}${stop} ${charge(failure.charged)}`;
    }
    case "engine_failed":
      return `${failure.detail ?? (failure.refused === true ? ENGINE_REFUSED : "The engine failed.")} ${charge(failure.charged)}`;
    case "engine_busy":
      return `The engine has no capacity at the moment.${askedWait(failure.retryAfterMs)} ${charge(failure.charged)}`;
    case "engine_timeout":
      return `The engine did not answer in time. ${charge(failure.charged)}`;
    case "unavailable":
      if (failure.reason === "bodies") return BODIES_HELD;
      if (failure.reason === "pictures") return PICTURES_MADE;
      return "The service is not available at the moment. Try again in a little while.";
    case "storage_full":
      return "This tenant's storage is nearly full, so nothing new is admitted. Nothing was charged.";
    case "settlement_unavailable":
      return "The call ran and its settlement could not be confirmed, so there is no result. Its hold is charged.";
    case "internal":
      return "Something went wrong here. Search the log for the request id.";
    default:
      return failure satisfies never;
  }
}
