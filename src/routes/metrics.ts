import * as v from "valibot";
import { exposition, EXPOSITION_TYPE } from "../metrics/exposition.ts";
import { type Facts, metrics, type TenantChecks } from "../metrics/metrics.ts";
import { dayOf } from "../domain/ledger/period.ts";
import { raw } from "../http/reply.ts";
import { logError, nameOf } from "../http/request-log.ts";
import { defineRoute } from "../http/route.ts";
import { readToday } from "../reports/metrics-store.ts";
import { openReports } from "../reports/open-reports.ts";
import { ReconciliationStore } from "../reports/reconciliation-store.ts";
import { VERSION } from "./service.ts";
import { readAccount, writeAccount, UNAVAILABLE } from "../edge/bindings.ts";

export const getMetrics = defineRoute({
  method: "GET",
  path: "/metrics",
  summary: "The platform's metrics, as Prometheus reads them",
  description:
    "Text format 0.0.4. What does not answer is left out, and `neurogate_source_up` says so. With " +
    "`tenants=check` it has what the latest pass over all tenants counted, and begins another pass if " +
    "the latest began an hour ago or longer: a pass wakes each tenant's object.",
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
      readAccount(env, (object) => object.readFacts()).catch((error: unknown) => {
        // A scrape tells what it can.
        logError({ request_id: requestId, event: "facts_not_read", error: nameOf(error) });
        return UNAVAILABLE;
      }),
      readReports(env).catch(() => NO_REPORTS),
      query.tenants === "check" ? readChecks(env).catch(() => null) : null,
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

/** A pass over all tenants is begun no sooner after the one before, by scrapes. */
const CHECKS_REST_MS = 3_600_000;

/** Null: there was no whole pass yet, or nobody knows. */
async function readChecks(env: Env): Promise<TenantChecks | null> {
  const found = await writeAccount(env, (account) => account.startChecks(CHECKS_REST_MS));
  if ("kind" in found || found.latest === null) return null;
  const { sums, endedAtMs } = found.latest;
  return { ...sums, endedAtMs: endedAtMs ?? 0 };
}

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
