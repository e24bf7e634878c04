import { type Day, dayOf, endOf } from "../../../src/domain/ledger/period.ts";
import { USER_DAYS_KEPT_MS } from "../../../src/domain/usage/report-retention.ts";
import { NAMED_NO_USER, type Split } from "../../../src/domain/usage/usage-split.ts";
import { expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import type { TenantStores } from "../stores.ts";
import { USAGE_SPLITS } from "./split-schema.ts";
import type { SplitPlace } from "./split-store.ts";

// Usage by user, key and model: folded with the other rows, kept as long as users' days. A row names no
// user but has the user's place within the day, which an erasure of the user deletes.

export const USAGE_SPLITS_FEATURE: TenantFeature = {
  name: "usage_splits",
  tables: [USAGE_SPLITS],
  capability: ({ stores: { db, splits } }) => ({
    purge: ({ nowMs }) => splits.purge(dayOf(nowMs - USER_DAYS_KEPT_MS), PURGE_ROWS),
    expiries: [
      expiry(db.of(USAGE_SPLITS), () => {
        const day = splits.oldestDay();
        return day === null ? null : endOf(day) + USER_DAYS_KEPT_MS;
      }),
    ],
  }),
};

/**
 * Rows of a day that name both a user and a key: 1,000, and four for each user with a place. Of calls
 * beyond them the users share a place, and beyond twice as many rows the keys do too.
 */
const ROWS_A_USER = 4;
const ROWS_BESIDE_USERS = 1000;

/** @param slotOf the place of a user within a day */
export function addSplits(
  { splits }: Pick<TenantStores, "splits">,
  folded: readonly Split[],
  {
    slotOf,
    usersADay,
  }: {
    readonly slotOf: (day: Day, userId: string) => number;
    readonly usersADay: number;
  },
): void {
  const most = ROWS_BESIDE_USERS + ROWS_A_USER * usersADay;
  const counts = new Map<Day, number>();
  for (const { day, userId, keyId, model, ...sums } of folded) {
    const slot = userId === null ? NAMED_NO_USER : slotOf(day, userId);
    const own: SplitPlace = { day, slot, keyId, model };
    if (splits.addTo(own, sums)) continue;
    const rows = counts.get(day) ?? splits.countOf(day);
    const shared = { ...own, slot: Math.min(slot, 0) };
    const place = rows < most ? own : rows < 2 * most ? shared : { ...shared, keyId: null };
    if (place !== own && splits.addTo(place, sums)) continue;
    splits.insert(place, sums);
    counts.set(day, rows + 1);
  }
}
