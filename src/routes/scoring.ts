import type { LimitStatus } from "../../durable-objects/tenant/protocol.ts";
import { governedCall, type Run } from "../calls/governed-call.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import { usable } from "../domain/ledger/quota.ts";
import { ZERO } from "../domain/ledger/micro-neurons.ts";
import type { KeyCaller } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { callHeaders, rateLimitHeaders } from "../http/rate-headers.ts";
import type { FailureOf } from "../http/route.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { objectCaller, tenantObject } from "../edge/bindings.ts";

// Calls that are scored inside the Worker: admitted by their tenant's rates like any other, they ask no
// engine, cost nothing, and leave nothing behind but their count.

/** What an admission of such a call may come to. */
export const SCORED = [
  "tenant_suspended",
  "role_required",
  "over_limit",
  "rate_limited",
  "concurrency_exceeded",
  "storage_full",
  "settlement_unavailable",
] as const;

interface ScoringCall {
  readonly caller: KeyCaller;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly requestId: string;
}

export type Scored<Value> =
  | {
      readonly kind: "scored";
      readonly value: Value;
      readonly keepsSuggestions: boolean;
      readonly headers: Readonly<Record<string, string>>;
    }
  | ScoringFailure;

const REFUSALS = [...SCORED, "invalid_key", "unavailable", "internal"] as const;

type ScoringFailure = FailureOf<(typeof REFUSALS)[number]>;

const isExpected = (failure: Failure): failure is ScoringFailure =>
  (REFUSALS as readonly string[]).includes(failure.kind);

/** Admits, scores, and settles at nothing. */
export async function scoring<Value>(
  { caller, env, ctx, requestId }: ScoringCall,
  route: string,
  work: () => Promise<Value>,
): Promise<Scored<Value>> {
  const request = {
    kind: "scoring" as const,
    callId: newId("jnl"),
    requestId,
    route,
    caller: objectCaller(caller),
    userId: null,
    idempotency: null,
  };
  const run = async (): Promise<Run<Value>> => ({
    kind: "ended",
    value: await work(),
    ran: { items: [], verdicts: [], account: null, reply: null },
  });
  const outcome = await toItsEnd(
    ctx,
    governedCall<Value>(() => tenantObject(env, caller.tenant), request, run),
  );
  switch (outcome.kind) {
    case "settled":
    // Nothing was held for it: what was scored is as right when its settlement is not confirmed.
    case "unconfirmed": {
      const { value, admitted } = outcome;
      const keepsSuggestions = admitted.keepsSuggestions === true;
      const headers = scoringHeaders(admitted.limits);
      return { kind: "scored", value, keepsSuggestions, headers };
    }
    case "streaming":
    case "replayed":
      throw new Error("scoring neither streams nor repeats");
    default:
      if (isExpected(outcome)) return outcome;
      throw new Error("scoring needs no model and no neurons");
  }
}

const scoringHeaders = (standing: LimitStatus | null): Record<string, string> => ({
  ...callHeaders({
    microNeurons: ZERO,
    engine: "embedded",
    ...(standing !== null && { available: usable(standing.neurons) }),
  }),
  ...(standing !== null && rateLimitHeaders(standing)),
});
