import type { TenantCheck } from "../../durable-objects/tenant/tenant.ts";
import type { TenantChecks } from "../domain/metrics.ts";
import { askAccount, tenantObject, UNAVAILABLE } from "./tenant-object.ts";

/** Objects asked at once, and in all: a Worker may call a thousand. */
const AT_ONCE = 50;
const MOST_CHECKED = 500;

/** Asks tenants' own objects, by id, which wakes each. Null: nobody knows who they are. */
export async function checkTenants(env: Env): Promise<TenantChecks | null> {
  let asked = 0;
  let after = "";
  const checks: TenantCheck[] = [];
  while (asked < MOST_CHECKED) {
    const last = after;
    // oxlint-disable-next-line no-await-in-loop -- bounded pages, one after the other
    const page = await askAccount(env, (account) => account.listTenants(last, AT_ONCE)).catch(
      () => UNAVAILABLE,
    );
    if ("kind" in page) return null;
    // oxlint-disable-next-line no-await-in-loop -- as above
    const answers = await Promise.all(page.ids.map((id) => checkOne(env, id)));
    checks.push(...answers.filter((answer) => answer !== null));
    asked += page.ids.length;
    after = page.ids.at(-1) ?? after;
    if (!page.more) break;
  }
  return summed(checks, asked);
}

/** Null: it did not answer, or is just being made or ended. */
async function checkOne(env: Env, id: string): Promise<TenantCheck | null> {
  try {
    const answer = await tenantObject(env, id).check({ kind: "platform" });
    return answer.kind === "checked" ? answer : null;
  } catch {
    return null;
  }
}

function summed(checks: readonly TenantCheck[], asked: number): TenantChecks {
  const violations: Record<string, number> = {};
  const deliveries = { waiting: 0, failed: 0 };
  for (const { counts, deliveries: own } of checks) {
    for (const count of counts) {
      violations[count.name] = (violations[count.name] ?? 0) + count.violations;
    }
    deliveries.waiting += own.waiting;
    deliveries.failed += own.failed;
  }
  return { asked, unanswered: asked - checks.length, violations, deliveries };
}
