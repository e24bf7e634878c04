import * as v from "valibot";
import { exposition, EXPOSITION_TYPE } from "../domain/exposition.ts";
import { type Facts, metrics } from "../domain/metrics.ts";
import { dayOf } from "../domain/period.ts";
import { raw } from "../http/call.ts";
import { logError, nameOf } from "../http/request-log.ts";
import { defineRoute } from "../http/route.ts";
import { readToday } from "../reports/metrics-store.ts";
import { openReports } from "../reports/open-reports.ts";
import { ReconciliationStore } from "../reports/reconciliation-store.ts";
import { checkTenants } from "./check-tenants.ts";
import { VERSION } from "./service.ts";
import { askAccount, UNAVAILABLE } from "./tenant-object.ts";

export const getMetrics = defineRoute({
  method: "GET",
  path: "/metrics",
  summary: "The platform's metrics, as Prometheus reads them",
  description:
    "Text format 0.0.4. What does not answer is left out, and `neurogate_source_up` says so. With " +
    "`tenants=check` each tenant's object is asked for its invariants and deliveries, which wakes it.",
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({
    tenants: v.optional(
      v.pipe(v.literal("check"), v.description("For a scrape of its own, once an hour or less.")),
    ),
  }),
  reply: { status: 200, schema: v.string(), contentType: EXPOSITION_TYPE },
  failures: [],
  handle: async (call) => {
    const { env, query, requestId } = call;
    const [account, reports, checks] = await Promise.all([
      askAccount(env, (object) => object.readFacts()).catch((error: unknown) => {
        // A scrape tells what it can.
        logError({ request_id: requestId, event: "facts_not_read", error: nameOf(error) });
        return UNAVAILABLE;
      }),
      readReports(env).catch(() => NO_REPORTS),
      query.tenants === "check" ? checkTenants(env) : null,
    ]);
    const facts: Facts = {
      version: VERSION,
      account: "kind" in account ? null : account,
      ...reports,
      checks,
    };
    const headers = { "Content-Type": EXPOSITION_TYPE };
    return raw(new Response(exposition(metrics(facts)), { headers }));
  },
});

type Reports = Pick<Facts, "today" | "latest" | "compared">;

const NO_REPORTS: Reports = { today: null, latest: null, compared: null };

async function readReports(env: Env): Promise<Reports> {
  const database = await openReports(env);
  if (database === null) return NO_REPORTS;
  const [today, days] = await Promise.all([
    readToday(database, dayOf(Date.now())),
    new ReconciliationStore(database).readLatest(),
  ]);
  return { today, ...days };
}
