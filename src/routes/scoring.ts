import type { Admitted, LimitStatus } from "../../durable-objects/tenant/protocol.ts";
import { governedCall, type Ran, type Run } from "../calls/governed-call.ts";
import type { Config } from "../config.ts";
import { charged } from "../domain/ledger/ledger.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import { usable } from "../domain/ledger/quota.ts";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import type { MeasuredContent } from "../domain/moderation/plan-moderation.ts";
import type { KeyCaller } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { callHeaders, rateLimitHeaders } from "../http/rate-headers.ts";
import type { FailureOf } from "../http/route.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { objectCaller, recordInferences, tenantObject } from "../edge/bindings.ts";

// Calls that are scored inside the Worker: admitted by their tenant's rates like any other, they cost nothing
// and store no verdict. Only a text that the tenant lets a judge read asks an engine, under a hold.

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
  readonly context: string | null;
  readonly config: Config;
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

/** How such a call may be refused besides, where the judge would be held for. */
export const HELD = [
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "quota_reserved",
] as const;

type HeldFailure = FailureOf<(typeof HELD)[number]>;

const isOneOf = <Kind extends string>(kinds: readonly Kind[], kind: string): kind is Kind =>
  (kinds as readonly string[]).includes(kind);

const isExpected = (failure: Failure): failure is ScoringFailure => isOneOf(REFUSALS, failure.kind);

const isHeld = (failure: Failure): failure is HeldFailure => isOneOf(HELD, failure.kind);

/** Admits, scores, and settles at nothing. */
export async function scoring<Value>(
  call: ScoringCall,
  route: string,
  work: () => Promise<Value>,
): Promise<Scored<Value>> {
  const scored = await judgedScoring(call, route, {
    judged: null,
    work: async () => ({ value: await work(), items: [], account: null }),
  });
  if (scored.kind !== "scored" && isHeld(scored)) throw new Error("scoring needs no neurons");
  return scored;
}

/** What a judged scoring came to. */
export interface JudgedScoring<Value> extends Pick<Ran, "items" | "account"> {
  readonly value: Value;
}

/**
 * As `scoring`, with a judge where the tenant allows it: its hold has a stage then, and what it used is
 * charged.
 */
export async function judgedScoring<Value>(
  { caller, env, ctx, requestId, context, config }: ScoringCall,
  route: string,
  {
    judged,
    work,
  }: {
    /** The measure of a text that the judge may read; null: no judge. */
    readonly judged: MeasuredContent | null;
    readonly work: (admitted: Admitted) => Promise<JudgedScoring<Value>>;
  },
): Promise<Scored<Value> | HeldFailure> {
  const request = {
    kind: "scoring" as const,
    callId: newId("jnl"),
    requestId,
    route,
    caller: objectCaller(caller),
    userId: null,
    context,
    idempotency: null,
    ...(judged !== null && { judged }),
  };
  const run = async (admitted: Admitted): Promise<Run<Value>> => {
    const { value, items, account } = await work(admitted);
    return { kind: "ended", value, ran: { items, verdicts: [], account, reply: null } };
  };
  const outcome = await toItsEnd(
    ctx,
    governedCall<Value>(
      () => tenantObject(env, caller.tenant),
      request,
      run,
      recordInferences(env, caller.tenant),
    ),
  );
  switch (outcome.kind) {
    case "settled":
    // Where nothing was held, what was scored is as right when its settlement is not confirmed.
    case "unconfirmed": {
      const { value, admitted } = outcome;
      const isHeldFor = admitted.hold.stages.length > 0;
      if (outcome.kind === "unconfirmed" && isHeldFor) return { kind: "settlement_unavailable" };
      const keepsSuggestions = admitted.keepsSuggestions === true;
      const line =
        outcome.kind === "settled" && outcome.reply.settlement.kind !== "unknown_hold"
          ? outcome.reply.settlement.line
          : null;
      const microNeurons = line === null ? ZERO : charged(line);
      const engine = isHeldFor ? config.inference : "embedded";
      const headers = scoringHeaders(admitted.limits, { microNeurons, engine });
      return { kind: "scored", value, keepsSuggestions, headers };
    }
    case "streaming":
    case "replayed":
      throw new Error("scoring neither streams nor repeats");
    default:
      if (isExpected(outcome)) return outcome;
      if (judged !== null && isHeld(outcome)) return outcome;
      throw new Error("scoring needs no model and no neurons");
  }
}

const scoringHeaders = (
  standing: LimitStatus | null,
  cost: { readonly microNeurons: MicroNeurons; readonly engine: string },
): Record<string, string> => ({
  ...callHeaders({
    ...cost,
    ...(standing !== null && { available: usable(standing.neurons) }),
  }),
  ...(standing !== null && rateLimitHeaders(standing)),
});
