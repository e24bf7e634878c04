import type { Platform } from "../../src/domain/tenant/platform.ts";
import { objectDatabase } from "../database.ts";
import { dispatcherOptions } from "../outbox/dispatcher.ts";
import { failureReporter } from "../report-failure.ts";
import type { TenantCheck } from "../tenant/invariants.ts";
import type { AccessRefusal } from "../tenant/transactions.ts";
import type { AccountSurroundings, TenantStub } from "./account-node.ts";
import type { EndedReports } from "./tenants/report-ends.ts";

/** What the Worker hands to the account's object. */
export interface AccountOutside {
  platform(env: Env): Platform;
  /** Work with the platform's reports that can be repeated. Null: this deployment has none. */
  useReports<Result>(
    env: Env,
    work: (reports: EndedReports) => Promise<Result>,
  ): Promise<Result | null>;
}

/** A Durable Object as `AccountNode` sees it. @param env as it is by then */
export function objectSurroundings(
  { storage }: DurableObjectState,
  env: () => Env,
  outside: AccountOutside,
): AccountSurroundings {
  const platform = outside.platform(env());
  return {
    db: objectDatabase(storage),
    wallMs: () => Date.now(),
    sleep: (ms) => scheduler.wait(ms),
    setAlarm: (atMs) => (atMs === null ? storage.deleteAlarm() : storage.setAlarm(atMs)),
    tenant: (id) => tenantStub(env(), id),
    // A deployment may do without it.
    bucket: () => (env() as Partial<Env>).IMAGES ?? null,
    useReports: (work) => outside.useReports(env(), work),
    deliveries: dispatcherOptions(platform),
    platform,
    report: failureReporter("account"),
  };
}

function tenantStub(env: Env, id: string): TenantStub {
  const stub = env.TENANT.getByName(id);
  return {
    configure: (request) => copied(stub.configure(request)),
    close: () => copied(stub.close()),
    erase: () => stub.erase(),
    applyAccountView: (view) => stub.applyAccountView(view),
    giveBack: (generation, day, keep) => stub.giveBack(generation, day, keep),
    check: async () => {
      const reply = stub.check({ kind: "platform" });
      const answer = await copied<TenantCheck | AccessRefusal>(reply);
      return answer.kind === "checked" ? answer : null;
    },
  };
}

/** A copy: handed on as it is, the reply would hold the tenant's session open. */
async function copied<Answer>(reply: Promise<unknown>): Promise<Answer> {
  using answer = (await reply) as Disposable | null;
  return structuredClone(answer) as Answer;
}
