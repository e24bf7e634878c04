import { ACCOUNT_NAME } from "../durable-objects/account/account-protocol.ts";
import { recordAct } from "./edge/audit.ts";
import { Account as AccountObject } from "../durable-objects/account/account.ts";
import { StateApplies as StateAppliesObject } from "../durable-objects/applies/state-applies.ts";
import { Session as SessionObject } from "../durable-objects/session/session.ts";
import { Tenant as TenantObject } from "../durable-objects/tenant/tenant.ts";
import { readPlatform, reportUsersADay } from "./edge/platform.ts";
import { createRouter } from "./http/router.ts";
import { consumeUsage } from "./reports/consume-usage.ts";
import { useReports } from "./reports/open-reports.ts";
import { clearRows, endRows, writeLastRows } from "./reports/reports-store.ts";
import { mayRead } from "./routes/may-read.ts";
import { ROUTES } from "./routes/routes.ts";
import { answerMessage } from "./sessions/answer-message.ts";
import { runSchedule } from "./routes/run-schedule.ts";

export { ContentPipeline } from "./pipelines/content-pipeline.ts";
export { BatchRun } from "./batches/batch-run.ts";
export { VectorShard } from "../durable-objects/vectors/vector-shard.ts";

/** The configuration and the reports, as a tenant's object uses them. */
const OUTSIDE_OF_TENANT: ConstructorParameters<typeof TenantObject>[2] = {
  platform: readPlatform,
  usersADay: reportUsersADay,
  clearReports: (env, of) => useReports(env, (database) => clearRows(database, of)),
};

/** The same, as the account's object uses them. */
const OUTSIDE_OF_ACCOUNT: ConstructorParameters<typeof AccountObject>[2] = {
  platform: readPlatform,
  useReports: (env, work) =>
    useReports(env, (database) =>
      work({
        endRows: (of, nowMs) => endRows(database, of, nowMs),
        writeLastRows: (of, rows) => writeLastRows(database, of, rows),
      }),
    ),
};

export class Account extends AccountObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, OUTSIDE_OF_ACCOUNT);
  }
}

export class Tenant extends TenantObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, OUTSIDE_OF_TENANT);
  }
}

export class StateApplies extends StateAppliesObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, readPlatform);
  }
}

export class Session extends SessionObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { answer: answerMessage });
  }
}

const router = createRouter(ROUTES, { mayRead, record: recordAct });

export default {
  fetch: (request, env, ctx) => router.fetch(request, env, ctx),
  scheduled: ({ scheduledTime, cron }, env) => runSchedule(env, { scheduledTime, cron }),
  queue: (batch, env) => consumeUsage(batch, env, { accountName: ACCOUNT_NAME }),
} satisfies ExportedHandler<Env>;
