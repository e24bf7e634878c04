import { createRouter } from "./http/router.ts";
import { ROUTES } from "./routes/routes.ts";
import { runSchedule } from "./routes/run-schedule.ts";

export { Account } from "../durable-objects/account/account.ts";
export { BatchRun } from "./batches/batch-run.ts";
export { Tenant } from "../durable-objects/tenant/tenant.ts";

const router = createRouter(ROUTES);

export default {
  fetch: (request, env, ctx) => router.fetch(request, env, ctx),
  scheduled: ({ scheduledTime }, env) => runSchedule(env, scheduledTime),
} satisfies ExportedHandler<Env>;
