import { ACCOUNT_NAME } from "../durable-objects/account/account-name.ts";
import { recordAct } from "./edge/audit.ts";
import { createRouter } from "./http/router.ts";
import { consumeUsage } from "./reports/consume-usage.ts";
import { mayRead } from "./routes/may-read.ts";
import { ROUTES } from "./routes/routes.ts";
import { runSchedule } from "./routes/run-schedule.ts";

export { Account } from "../durable-objects/account/account.ts";
export { StateApplies } from "../durable-objects/applies/state-applies.ts";
export { BatchRun } from "./batches/batch-run.ts";
export { Tenant } from "../durable-objects/tenant/tenant.ts";

const router = createRouter(ROUTES, { mayRead, record: recordAct });

export default {
  fetch: (request, env, ctx) => router.fetch(request, env, ctx),
  scheduled: ({ scheduledTime, cron }, env) => runSchedule(env, { scheduledTime, cron }),
  queue: (batch, env) => consumeUsage(batch, env, { accountName: ACCOUNT_NAME }),
} satisfies ExportedHandler<Env>;
