import * as v from "valibot";
import type { RefusalCount } from "../../domain/ledger/refusal-count.ts";
import type { InvariantCounts } from "../../domain/tenant/tenant-check.ts";
import type { AuditEntry } from "../../domain/account/audit-entry.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { PLANS, UNLIMITED } from "../../domain/ledger/quota.ts";
import { microNeuronsOut, time } from "../field.ts";

// Limits, refusals, invariants and the audit log on the wire.

const nullableAmount = (description: string) => v.nullable(microNeuronsOut(description));

export const LimitsOutput = v.object({
  object: v.literal("limits"),
  tenant: v.string(),
  plan: v.picklist(PLANS),
  day: v.string(),
  resets_at: time("00:00 UTC of the next day."),
  limit_micro_neurons: nullableAmount("What a day may reach; null: no limit."),
  posted_micro_neurons: microNeuronsOut("Charged today."),
  pending_micro_neurons: microNeuronsOut("Held by calls in progress."),
  available_micro_neurons: nullableAmount("What is left of the limit; null: no limit."),
  month: v.pipe(
    v.object({
      month: v.string(),
      resets_at: time("00:00 UTC of the next month's first day."),
      limit_micro_neurons: nullableAmount("What a month may reach; null: no cap."),
      posted_micro_neurons: microNeuronsOut("Charged this month."),
      pending_micro_neurons: microNeuronsOut("Held by calls in progress."),
      available_micro_neurons: nullableAmount("What is left of the cap; null: no cap."),
    }),
    v.description("The calendar month of UTC; a call must fit in it and in the day."),
  ),
  grants: v.array(
    v.object({
      id: v.string(),
      remaining_micro_neurons: microNeuronsOut("Left of the grant."),
      expires_at: time("When it ends."),
    }),
  ),
  overage: v.object({
    micro_neurons: microNeuronsOut("Drawn today beyond quota and grants."),
    cap_neurons: v.pipe(
      v.nullable(v.union([v.number(), v.literal(UNLIMITED)])),
      v.description(
        'As it is set: a number of neurons a day, or "unlimited". Null on the free plan.',
      ),
    ),
  }),
  rates: v.array(
    v.object({
      name: v.string(),
      limit: v.number(),
      remaining: v.number(),
      resets_at: v.nullable(time("When the oldest counted call leaves the window.")),
    }),
  ),
  in_flight: v.object({ limit: v.number(), used: v.number() }),
  account_closed: v.pipe(
    v.boolean(),
    v.description(
      "Workers AI said that the whole account's allocation of the day is gone, as was known a minute ago at most: until the day ends, or the account has some again, calls are refused as `account_quota_exceeded`.",
    ),
  ),
});

export const RefusalOutput = v.object({
  object: v.literal("refusal"),
  minute: time("The minute, by its start."),
  kind: v.string(),
  policy: v.nullable(v.pipe(v.string(), v.description("The policies that stood in the way."))),
  count: v.number(),
  limit_micro_neurons: nullableAmount("As it stood at the first of them."),
  posted_micro_neurons: nullableAmount("As it stood at the first of them."),
  pending_micro_neurons: nullableAmount("As it stood at the first of them."),
  largest_required_micro_neurons: nullableAmount("The largest bound that was refused."),
  key_ids: v.pipe(v.array(v.string()), v.description("At most 20.")),
  first_request_id: v.string(),
  settings_version: v.number(),
});

const MINUTE_MS = 60_000;

export const toRefusal = ({ minute, kind, policy, count, detail }: RefusalCount) => ({
  object: "refusal" as const,
  minute: isoTime(minute * MINUTE_MS),
  kind,
  policy: policy === "" ? null : policy,
  count,
  limit_micro_neurons: detail.limit,
  posted_micro_neurons: detail.posted,
  pending_micro_neurons: detail.pending,
  largest_required_micro_neurons: detail.largestRequired,
  key_ids: detail.keyIds,
  first_request_id: detail.firstRequestId,
  settings_version: detail.settingsVersion,
});

export const InvariantCountOutput = v.object({
  number: v.pipe(v.number(), v.description("As the documentation numbers them.")),
  name: v.string(),
  checked: v.nullable(v.number()),
  violations: v.number(),
});

export const InvariantsOutput = v.object({
  object: v.literal("invariants"),
  tenant: v.string(),
  holds: v.pipe(
    v.nullable(v.boolean()),
    v.description(
      "False: something is broken. True: everything was looked at and nothing is. Null: nothing was found so far, and not everything was looked at.",
    ),
  ),
  complete: v.pipe(
    v.boolean(),
    v.description(
      "Whether all lines of today and yesterday were looked at. A request reads a bounded number; the rest is read in the background: ask again.",
    ),
  ),
  checked_to: v.pipe(
    v.nullable(time("Calls that began up to then were looked at; null: all of them.")),
  ),
  data: v.array(InvariantCountOutput),
  as_of: time(
    "When it was counted. The result of a count in several steps is repeated for a minute.",
  ),
});

export function toInvariants(tenant: string, found: InvariantCounts) {
  const { counts, isComplete, checkedToMs, countedAtMs } = found;
  const isBroken = counts.some(({ violations }) => violations > 0);
  return {
    object: "invariants" as const,
    tenant,
    holds: isBroken ? false : isComplete ? true : null,
    complete: isComplete,
    checked_to: checkedToMs === null ? null : isoTime(checkedToMs),
    data: counts.map((count) => ({ ...count })),
    as_of: isoTime(countedAtMs),
  };
}

export const AuditOutput = v.object({
  id: v.string(),
  object: v.literal("audit_entry"),
  at: time("When it was done."),
  actor: v.string(),
  action: v.string(),
  tenant: v.nullable(v.string()),
  request_id: v.string(),
  detail: v.record(
    v.string(),
    v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(v.string())]),
  ),
});

export const toAudit = (entry: AuditEntry) => ({
  id: entry.id,
  object: "audit_entry" as const,
  at: isoTime(entry.atMs),
  actor: entry.actor,
  action: entry.action,
  tenant: entry.tenant,
  request_id: entry.requestId,
  detail: entry.detail,
});
