import * as v from "valibot";
import { reconciledDayObject } from "../domain/usage/drift-object.ts";
import { type Day, dayOf, formatDay } from "../domain/ledger/period.ts";
import { acted, ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { reconcileDay } from "../reconciliation/reconcile-day.ts";
import { openReports } from "../reports/open-reports.ts";
import { ReconciliationStore } from "../reports/reconciliation-store.ts";
import { dayInput, list, listOf } from "../api/field.ts";
import { ReconciliationDayOutput } from "../api/native/reconciliation.ts";
import { reconciliationDeps } from "../edge/reconciliation-deps.ts";
import { UNAVAILABLE } from "../edge/bindings.ts";
import { strictObject } from "../api/object-input.ts";

// The journals against Cloudflare's own figures, for the platform.

const AUTH = { kind: "platform" } as const;

/** Days of one reply. */
const MAX_DAYS = 92;

/** Without `from`. */
const DEFAULT_DAYS = 30;

export const postReconcile = defineRoute({
  method: "POST",
  path: "/admin/reconcile",
  summary: "Compare a day's journals with Cloudflare's figures, now",
  description:
    "As the cron trigger does at 02:00 UTC for the day before and, once more, for the day three days " +
    "before. Cloudflare that does not answer is an outcome: see `last_outcome` and `last_reason`.",
  surface: "native",
  auth: AUTH,
  body: {
    schema: strictObject({ day: v.optional(dayInput("Yesterday when absent.")) }),
    limitBytes: 1024,
    optional: true,
  },
  reply: { status: 200, schema: ReconciliationDayOutput },
  failures: [],
  audit: "act",
  handle: async (call) => {
    const today = dayOf(Date.now());
    const { day = today - 1 } = call.body;
    if (day >= today) {
      const detail = "must be a day that has ended";
      return { kind: "invalid_request", errors: [{ path: ["day"], detail }] };
    }
    const deps = await reconciliationDeps(call.env, call.config).catch(() => null);
    if (deps === null) return UNAVAILABLE;
    const kept = await reconcileDay(deps, day).catch(() => null);
    if (kept === null) return UNAVAILABLE;
    const act = { day: formatDay(day), outcome: kept.lastOutcome };
    return acted(act, ok(reconciledDayObject(kept)));
  },
});

export const listReconciliation = defineRoute({
  method: "GET",
  path: "/admin/reconciliation",
  summary: "Days that were compared with Cloudflare's figures, newest first, by model",
  surface: "native",
  auth: AUTH,
  query: v.strictObject({
    from: v.optional(dayInput(`The first day; ${DEFAULT_DAYS} days before \`to\` when absent.`)),
    to: v.optional(dayInput("The last day, included; today when absent.")),
  }),
  reply: { status: 200, schema: listOf(ReconciliationDayOutput) },
  failures: [],
  handle: async (call) => {
    const { to = dayOf(Date.now()), from = to - DEFAULT_DAYS } = call.query;
    if (from > to || to - from >= MAX_DAYS) {
      const detail = `must be a day at most ${MAX_DAYS - 1} days before to`;
      return { kind: "invalid_request", errors: [{ path: ["from"], detail }] };
    }
    const days = await readDays(call.env, from, to).catch(() => null);
    if (days === null) return UNAVAILABLE;
    return ok(list(days.map(reconciledDayObject), null));
  },
});

async function readDays(env: Env, from: Day, to: Day) {
  const database = await openReports(env);
  return database === null ? null : new ReconciliationStore(database).readDays(from, to);
}
