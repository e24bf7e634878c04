import * as v from "valibot";
import { endsAtMs, type Grant, isOpenAt, leftOf } from "../../domain/ledger/quota.ts";
import { fromNeurons, toNeurons, ZERO } from "../../domain/ledger/micro-neurons.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { stated } from "../../http/field-errors.ts";
import { microNeuronsOut, name, time, timeInput } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Grants on the wire.

const MAX_NEURONS = 1_000_000_000;

/** Above nothing, up to six decimals. */
export const someNeurons = (description: string) =>
  v.pipe(
    v.number(),
    v.maxValue(MAX_NEURONS),
    v.check(
      stated(
        "must be above 0, with at most six decimals",
        (n: number) => n > 0 && fromNeurons(n) !== null,
      ),
    ),
    v.description(description),
  );

export const reason = (description: string) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(1000),
    // Half a character is no text, and would not come back as it was stored.
    v.check(stated("must be text", (text: string) => text.isWellFormed())),
    v.description(description),
  );

export const NewGrantInput = strictObject({
  neurons: someNeurons("How many, up to six decimals."),
  expires_at: timeInput("When it ends by itself."),
  reason: reason("Why, for people; the tenant reads it."),
});

export const GRANT_STATES = ["active", "used", "expired", "ended"] as const;

export const GrantOutput = v.object({
  id: name("`grt_` and a ULID."),
  object: v.literal("grant"),
  state: v.pipe(
    v.picklist(GRANT_STATES),
    v.description("`used`: nothing is left; `ended`: by the platform, before it expired."),
  ),
  micro_neurons: microNeuronsOut("Granted."),
  neurons: v.number(),
  drawn_micro_neurons: microNeuronsOut("Drawn by calls so far."),
  remaining_micro_neurons: microNeuronsOut("What calls may still draw; 0 once it has ended."),
  reason: v.string(),
  created_at: time("When it was made."),
  expires_at: time("When it ends by itself."),
  ended_at: v.nullable(time("When the platform ended it.")),
});

export const toGrant = (grant: Grant, nowMs: number): v.InferOutput<typeof GrantOutput> => ({
  id: grant.id,
  object: "grant",
  state: stateOf(grant, nowMs),
  micro_neurons: grant.amount,
  neurons: toNeurons(grant.amount),
  drawn_micro_neurons: grant.drawn,
  remaining_micro_neurons: isOpenAt(grant, nowMs) ? leftOf(grant) : ZERO,
  reason: grant.reason,
  created_at: isoTime(grant.createdAtMs),
  expires_at: isoTime(grant.expiresAtMs),
  ended_at: grant.endedAtMs === null ? null : isoTime(grant.endedAtMs),
});

function stateOf(grant: Grant, nowMs: number): (typeof GRANT_STATES)[number] {
  if (leftOf(grant) === 0) return "used";
  if (isOpenAt(grant, nowMs)) return "active";
  return grant.endedAtMs !== null && endsAtMs(grant) === grant.endedAtMs ? "ended" : "expired";
}
