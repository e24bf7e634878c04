import { dayOf } from "../../src/domain/ledger/period.ts";
import { HOURS_KEPT_MS, USER_DAYS_KEPT_MS } from "../../src/domain/usage/report-retention.ts";
import { hourOf } from "../../src/domain/usage/report-rows.ts";
import { hourKey } from "../../src/domain/usage/usage-fold.ts";
import { batchesDueMs } from "./batches/batch-recovery.ts";
import { erasuresDueMs } from "./privacy/erasures.ts";
import { ERASURES_KEPT_MS, PURGE_ROWS, READS_KEPT_MS, REFUSALS_KEPT_MS } from "./expiries.ts";
import type { TenantStores } from "./stores.ts";
import { FOLLOWED_MS } from "./policies/policy-store.ts";
import type { Tx } from "./transactions.ts";
import { userKey } from "./usage/usage-row-store.ts";
import { REFUSALS_FLUSH_MS } from "./ledger/refusal-counter.ts";

// What a tenant's one alarm does, and when it is due next.

const DAY_MS = 86_400_000;

/** Deletes what is past its retention; true when there is more. */
export function purge({ stores, profile: { settings }, nowMs }: Tx): boolean {
  const keptMs = settings.verdict_retention_days * DAY_MS;
  const more = [
    stores.verdicts.purge(nowMs - keptMs, PURGE_ROWS),
    stores.outbox.purge(nowMs - settings.event_retention_days * DAY_MS, PURGE_ROWS, nowMs),
    stores.batches.purge(nowMs - keptMs, PURGE_ROWS),
    stores.reusable.purge(dayOf(nowMs), PURGE_ROWS),
    stores.idempotency.purge(dayOf(nowMs), PURGE_ROWS),
    stores.replies.purge(dayOf(nowMs), PURGE_ROWS),
    stores.userPictures.purge(dayOf(nowMs), PURGE_ROWS),
    stores.refusals.purge(nowMs - REFUSALS_KEPT_MS, PURGE_ROWS),
    stores.contents.purgeReads(nowMs - READS_KEPT_MS, PURGE_ROWS),
    stores.erasures.purge(nowMs - ERASURES_KEPT_MS, PURGE_ROWS),
    purgeReportRows(stores.reportRows, nowMs, PURGE_ROWS),
  ].includes(true);
  if (!more) stores.policies.purge(nowMs - FOLLOWED_MS);
  return more;
}

/** What the reports do not keep any more either. */
function purgeReportRows(rows: TenantStores["reportRows"], nowMs: number, limit: number): boolean {
  const firstHour = hourKey(hourOf(nowMs - HOURS_KEPT_MS));
  const firstDay = dayOf(nowMs - USER_DAYS_KEPT_MS);
  return [
    rows.purge("usage_hour", firstHour, limit),
    rows.purge("call_hour", firstHour, limit),
    rows.purge("user_day", userKey(firstDay, 0), limit),
    rows.purgeUsers(firstDay, limit),
    rows.purgeExpired(nowMs, limit),
  ].includes(true);
}

/** When the alarm is needed next for what is in work, in milliseconds; Infinity: nothing is. */
export function nextDueMs(stores: TenantStores, nowMs: number): number {
  const deadlines = stores.ledger.openHolds().map((hold) => hold.deadlineMs);
  const refusals = stores.refusals.waiting ? [nowMs + REFUSALS_FLUSH_MS] : [];
  const walk = stores.ledger.walk.isRunning ? [nowMs] : [];
  return Math.min(
    ...deadlines,
    ...refusals,
    ...walk,
    ...erasuresDueMs(stores.erasures, nowMs),
    ...batchesDueMs(stores.batches),
    stores.contentFiles.dueMs() ?? Infinity,
  );
}
