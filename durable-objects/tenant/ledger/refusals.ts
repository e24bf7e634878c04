import { REFUSALS } from "../calls/call-schema.ts";
import { expiry, PURGE_ROWS, type TenantContext, type TenantFeature } from "../feature.ts";
import { REFUSALS_FLUSH_MS } from "./refusal-counter.ts";
import type { Caller } from "../protocol.ts";
import { pageOf } from "../page.ts";

const MINUTE_MS = 60_000;

/** How long refusals can be listed. */
const REFUSALS_KEPT_MS = 30 * 86_400_000;

export const REFUSALS_FEATURE: TenantFeature = {
  name: "refusals",
  tables: [REFUSALS],
  capability: ({ stores: { db, refusals } }) => ({
    maintain: () => {
      refusals.flush();
      return false;
    },
    purge: ({ nowMs }) => refusals.purge(nowMs - REFUSALS_KEPT_MS, PURGE_ROWS),
    // Of a minute all is deleted once the whole of it is past its time.
    expiries: [
      expiry(db.of(REFUSALS), () => {
        const minute = refusals.firstMinute(0);
        return minute === null ? null : (minute + 1) * MINUTE_MS + REFUSALS_KEPT_MS;
      }),
    ],
    dueMs: (nowMs) => (refusals.waiting ? nowMs + REFUSALS_FLUSH_MS : Infinity),
  }),
};

export const REFUSAL_OPERATIONS = {
  listRefusals: (
    { ask }: TenantContext,
    caller: Caller,
    query: {
      readonly fromMinute: number;
      readonly toMinute: number;
      readonly skip: number;
      readonly limit: number;
    },
  ) =>
    ask(caller, ({ stores: { refusals } }) => {
      refusals.flush();
      const { fromMinute, toMinute } = query;
      return pageOf(refusals.list(fromMinute, toMinute, query), query.limit);
    }),
};
