import { amountOf } from "../../../src/domain/ledger/adjustment.ts";
import { type Day, dayOf, type Month, monthOf } from "../../../src/domain/ledger/period.ts";
import { isOpen, type StatementAdjustment } from "../../../src/domain/usage/statement.ts";
import {
  callsOfDay,
  type DayUsage,
  tenantGroups,
  type TenantRows,
  tenantTotals,
} from "../../../src/domain/usage/tenant-usage.ts";
import {
  addCalls,
  type CallSums,
  type GroupKey,
  NO_CALLS,
  type UsageGroup,
  type UsageTotals,
} from "../../../src/domain/usage/usage-report.ts";
import { needsSplits } from "../../../src/domain/usage/usage-split.ts";
import { firstHourOf } from "../../../src/domain/usage/report-rows.ts";
import { hourKey, inOrder } from "../../../src/domain/usage/usage-fold.ts";
import type { Tx } from "../transactions.ts";
import type { TenantContext } from "../feature.ts";
import type { Caller } from "../protocol.ts";

// A tenant's usage and statements, added up where the rows are. The rows read are bounded by the days
// of the query, never by the calls in them.

export interface UsageQuery {
  readonly from: Day;
  /** Included. */
  readonly to: Day;
  readonly groupBy: readonly GroupKey[];
  /** The index of the first row of the page. */
  readonly skip: number;
  readonly limit: number;
}

export interface UsageReport {
  readonly kind: "usage";
  readonly tenant: string;
  readonly groups: readonly UsageGroup[];
  readonly more: boolean;
  readonly totals: UsageTotals;
  /** What the present month came to so far. */
  readonly month: { readonly month: Month; readonly calls: CallSums };
  /** Hours and users lack what settled in the last seconds, or what is in an older journal. */
  readonly isBehind: boolean;
  readonly nowMs: number;
}

/** @param hasNews something settled or was refused since the last fold */
export function readUsage(tx: Tx, ask: UsageQuery, hasNews: boolean): UsageReport {
  const { nowMs } = tx;
  tx.stores.refusals.flush();
  tx.stores.ledger.flush();
  const rows = rowsOf(tx, ask);
  const groups = tenantGroups(tx.profile.id, rows, ask.groupBy);
  const end = ask.skip + ask.limit;
  const month = monthOf(dayOf(nowMs));
  const spent = daysOf(tx, month.first, month.end - 1).map(callsOfDay);
  return {
    kind: "usage",
    tenant: tx.profile.id,
    groups: groups.slice(ask.skip, end),
    more: groups.length > end,
    totals: tenantTotals(rows),
    month: { month, calls: spent.reduce(addCalls, NO_CALLS) },
    isBehind: hasNews || isUnfolded(tx, rows),
    nowMs,
  };
}

const daysOf = ({ stores: { journal } }: Tx, from: Day, to: Day): readonly DayUsage[] =>
  journal.listPeriods(from, to);

/** Days of which the hours of each model are read: of a year they would be ten thousands. */
const MOST_MODEL_DAYS = 31;

function rowsOf(tx: Tx, { from, to, groupBy }: UsageQuery): TenantRows {
  const { reportRows } = tx.stores;
  const hours = [hourKey(firstHourOf(from)), hourKey(firstHourOf(to + 1))] as const;
  const days = [inOrder(from), inOrder(to + 1)] as const;
  const isOfSplits = needsSplits(groupBy);
  const isOfUsers = groupBy.includes("user");
  const isOfModels = ["hour", "model", "task"].some((key) => groupBy.some((by) => by === key));
  const isShort = to - from < MOST_MODEL_DAYS;
  return {
    days: daysOf(tx, from, to),
    usageHours: isOfModels && isShort && !isOfSplits ? reportRows.within("usage_hour", hours) : [],
    callHours: reportRows.within("call_hour", hours),
    splits: isOfSplits ? tx.stores.splits.sums({ from, to }, groupBy) : [],
    userDays: isOfUsers && !isOfSplits ? reportRows.within("user_day", days) : [],
  };
}

/** A journal from before there were hours is folded by and by. */
function isUnfolded({ stores: { feed } }: Tx, { days }: TenantRows): boolean {
  const state = feed.read();
  return state === null ? days.length > 0 : state.walkedId !== null;
}

export interface MonthUsage {
  readonly kind: "month";
  readonly tenant: string;
  readonly generation: number;
  readonly days: readonly DayUsage[];
  readonly adjustments: readonly StatementAdjustment[];
  readonly isOpen: boolean;
  readonly nowMs: number;
}

/** A month's daily books, for its statement. */
export function readMonth(tx: Tx, month: Month): MonthUsage {
  tx.stores.refusals.flush();
  tx.stores.ledger.flush();
  const open = tx.stores.ledger.openHolds().map(({ day }) => day);
  const oldestOpenDay = open.length === 0 ? null : Math.min(...open);
  return {
    kind: "month",
    tenant: tx.profile.id,
    generation: tx.profile.generation,
    days: daysOf(tx, month.first, month.end - 1),
    adjustments: tx.stores.adjustments.ofDays(month.first, month.end).map((made) => ({
      id: made.id,
      adjusts: made.adjusts,
      day: made.day,
      atMs: made.madeAtMs,
      microNeurons: 0 - amountOf(made),
      reason: made.reason,
    })),
    isOpen: isOpen(month, { today: dayOf(tx.nowMs), oldestOpenDay }),
    nowMs: tx.nowMs,
  };
}

export const USAGE_OPERATIONS = {
  readUsage({ ask, feed }: TenantContext, caller: Caller, query: UsageQuery) {
    const { hasNews } = feed;
    return ask(caller, (tx) => readUsage(tx, query, hasNews));
  },

  readMonth: ({ ask }: TenantContext, caller: Caller, month: Month) =>
    ask(caller, (tx) => readMonth(tx, month)),
};
