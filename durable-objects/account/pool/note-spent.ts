import { emptyShare } from "../../../src/domain/account/lease.ts";
import { dayOf, monthStart } from "../../../src/domain/ledger/period.ts";
import type { AccountMessage } from "../account-protocol.ts";
import type { PoolCache } from "./pool-cache.ts";

/** Days that one message may tell of: the month, with a day of clocks that differ. */
const MOST_DAYS = 32;

/**
 * What a tenant has spent of days of which it leased nothing. Such messages have no number: one that was
 * overtaken by a later one says less than what is known.
 */
export function noteSpent(
  cache: PoolCache,
  { tenant, generation, spent: days }: Pick<AccountMessage, "tenant" | "generation" | "spent">,
  nowMs: number,
): void {
  const today = dayOf(nowMs);
  for (const { day, spent, pending } of days.slice(0, MOST_DAYS)) {
    if (day < monthStart(today) - 1 || day > today + 1) continue;
    const before =
      cache.share(day, tenant, generation) ?? emptyShare({ tenant, generation }, nowMs);
    const isKnown = before.spent === spent && before.pending === pending;
    if (before.seq > 0 || spent < before.spent || isKnown) continue;
    cache.keepShare(day, { ...before, granted: spent, spent, pending, reportedAtMs: nowMs });
  }
}
