import type { Limits } from "../../src/domain/ledger/limits.ts";
import { closureOf } from "../../src/domain/account/account-budget.ts";
import { DEFAULT_RATES, isShare, standing } from "../../src/domain/ledger/rate-limit.ts";
import { CATEGORIES } from "../../src/domain/moderation/category.ts";
import { neuronBalance } from "../../src/domain/ledger/admission.ts";
import { ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../../src/domain/ledger/period.ts";
import type { CheckCount, InvariantCounts } from "../../src/domain/tenant/tenant-check.ts";
import { isUnchecked } from "../../src/domain/moderation/verdict.ts";
import type { Tx } from "./transactions.ts";
import type { TenantStores } from "./stores.ts";
import type { TenantContext } from "./feature.ts";
import type { Caller } from "./protocol.ts";
import { TOO_MANY_WATCHERS } from "../watchers.ts";

// Limits and invariants of a tenant, read without a call.

export function limits(tx: Tx): Limits {
  const now = tx.stores.ledger.standing(tx.profile);
  const day = dayOf(now.nowMs);
  const names = new Set([
    ...Object.keys(DEFAULT_RATES),
    ...Object.keys(tx.profile.settings.rpm),
    ...Object.keys(now.windows).filter((name) => !isShare(name)),
  ]);
  return {
    kind: "limits",
    tenant: tx.profile.id,
    plan: tx.profile.settings.plan,
    day,
    neurons: neuronBalance(now, ZERO),
    month: tx.stores.ledger.month(tx.profile),
    grants: tx.stores.ledger.grants.openAt(now.nowMs),
    overage: {
      drawn: tx.stores.ledger.period(day).drawn.overage,
      capNeurons: tx.profile.settings.overage_cap_neurons,
    },
    rates: [...names].map((name) =>
      standing(now.windows, { name, limit: now.rateLimit(name) }, now.nowMs),
    ),
    inFlight: { limit: now.maxInFlight, used: now.inFlight },
    accountClosed: closureOf({ closure: tx.stores.ledger.closure() }, day) !== null,
    nowMs: now.nowMs,
  };
}

/** Archived days that one look at the invariants reads. */
const ARCHIVE_SAMPLE = 31;

/** Verdicts that one look at the invariants reads. */
const VERDICT_SAMPLE = 200;

/** Longer than any hold may be open after its deadline: the alarm or any call ends it. */
const EXPIRY_GRACE_MS = 60_000;

/**
 * Counts, over today and yesterday, what must always be zero. A bounded number of rows is read: where
 * there are more lines, this says how far it is, and the alarm or the next look goes on.
 */
export function countInvariants(tx: Tx): InvariantCounts {
  const now = tx.stores.ledger.standing(tx.profile);
  const seen = new Map(tx.stores.journal.listViolations().map(({ name, count }) => [name, count]));
  const open = tx.stores.ledger.openHolds();
  // Overdue holds that the next transactions turn into lines count as charged already.
  const overdue = tx.stores.ledger.isBehind
    ? 0
    : open.filter((hold) => hold.deadlineMs + EXPIRY_GRACE_MS < now.nowMs).length;
  const walk = tx.stores.ledger.lookThroughLines();
  const { lines } = walk;
  const verdicts = tx.stores.verdicts.latest(VERDICT_SAMPLE);
  const counts: Omit<CheckCount, "number">[] = [
    counted("admitted_within_limit", null, seen.get("admitted_within_limit") ?? 0),
    counted("every_call_ends_in_one_line", open.length, overdue),
    counted(
      "lines_sum_to_posted",
      lines,
      walk.wrongDays + tx.stores.archives.countBroken(ARCHIVE_SAMPLE),
    ),
    counted("rate_within_limit", null, seen.get("rate_within_limit") ?? 0),
    counted("charged_within_hold", lines, walk.brokenBounds),
    counted(
      "verdict_stored_with_its_line",
      verdicts.length,
      verdicts.filter(({ id }) => !tx.stores.verdicts.hasLine(id)).length,
    ),
    counted(
      "approved_only_when_checked",
      verdicts.length,
      verdicts.filter((verdict) => approvedUnchecked(tx, verdict)).length,
    ),
  ];
  return {
    counts: counts.map((count, at) => ({ number: at + 1, ...count })),
    isComplete: walk.isComplete,
    checkedToMs: walk.checkedToMs,
    countedAtMs: walk.atMs,
  };
}

const counted = (
  name: string,
  checked: number | null,
  violations: number,
): Omit<CheckCount, "number"> => ({ name, checked, violations });

/** Approved by a policy of which a required check was not evaluated. */
function approvedUnchecked(
  tx: Tx,
  verdict: ReturnType<TenantStores["verdicts"]["latest"]>[number],
): boolean {
  if (!verdict.approved || verdict.decidedBy !== "policy") return false;
  const policy = tx.stores.policies.read(verdict.policy.name, verdict.policy.version);
  return CATEGORIES.some((category) => {
    const status = verdict.coverage[category];
    const required = policy?.policy.categories[category].required ?? false;
    return required && isUnchecked(status);
  });
}

export interface TenantCheck extends InvariantCounts {
  readonly kind: "checked";
  readonly deliveries: { readonly waiting: number; readonly failed: number };
}

export const LIMIT_OPERATIONS = {
  async readLimits({ ask, client }: TenantContext, caller: Caller) {
    const access = ask(caller, () => null);
    if (access !== null) return access;
    await client.see();
    return ask(caller, limits);
  },

  /** As `readLimits`, for a caller that repeats it every few seconds: only so many may. */
  watchLimits: (
    { ask, watchers }: TenantContext,
    caller: Caller,
    { watcher }: { readonly watcher: string },
  ) => ask(caller, (tx) => (watchers.admit(watcher, tx.nowMs) ? limits(tx) : TOO_MANY_WATCHERS)),

  /** For the platform's metrics, which call it rarely: it reads some thousands of rows. */
  check: ({ write }: TenantContext, caller: Caller) =>
    write(caller, (tx): TenantCheck => ({
      kind: "checked",
      ...countInvariants(tx),
      deliveries: tx.stores.outbox.deliveries.counts(),
    })),

  countInvariants: ({ write }: TenantContext, caller: Caller) =>
    write(caller, (tx) => ({
      kind: "invariants" as const,
      tenant: tx.profile.id,
      ...countInvariants(tx),
    })),
};
