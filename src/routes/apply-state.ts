import type { AuditEntry } from "../domain/account/audit-entry.ts";
import type { Config } from "../config.ts";
import type { PlatformCaller } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { logError, nameOf } from "../http/request-log.ts";
import { issueKey } from "../http/authenticate.ts";
import {
  type CurrentTenant,
  expectedVersion,
  type TenantPlan,
} from "../domain/tenant/state-plan.ts";
import type { Applied } from "../api/native/state.ts";
import { newEntry } from "../edge/audit.ts";
import {
  readAccount,
  readTenant,
  writeAccount,
  writeTenant,
  UNAVAILABLE,
} from "../edge/bindings.ts";

// Reads what is, and makes it what is planned: some tenants at a time, each for itself. What fails
// says so and stops nothing else, so that the same document can be sent again.

/** Tenants that are asked or changed at once: an object answers in milliseconds. */
const AT_ONCE = 8;

/** More keys than this are some that are in force. */
const KEYS_LOOKED_AT = 200;

const ACT = "PUT /admin/state";

export interface StateCall {
  readonly env: Env;
  readonly caller: PlatformCaller;
  readonly config: Config;
  readonly requestId: string;
}

/** One step after the other. */
async function inSteps<Item, Result>(
  items: readonly Item[],
  step: (some: readonly Item[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    // oxlint-disable-next-line no-await-in-loop -- bounded steps, one after the other
    results.push(...(await step(items.slice(at, at + AT_ONCE))));
  }
  return results;
}

/** As a tenant's own routes are called: by the platform, for this tenant. */
const onTenant = ({ env, caller }: StateCall, tenant: string) => ({
  env,
  caller: { ...caller, tenant },
});

/** Those of the ids that there are. One that does not answer fails all: it must not look new. */
export async function readTenants(
  call: StateCall,
  ids: readonly string[],
): Promise<ReadonlyMap<string, CurrentTenant> | typeof UNAVAILABLE> {
  const listed = await readAccount(call.env, (account) => account.listedAmong(ids));
  if ("kind" in listed) return listed;
  const answers = await inSteps(listed, (some) =>
    Promise.all(
      some.map(async (id) => ({
        id,
        read: await readTenant(onTenant(call, id), (tenant, caller) => tenant.readProfile(caller)),
      })),
    ),
  );
  const known = new Map<string, CurrentTenant>();
  for (const { id, read } of answers) {
    if (read.kind === "unavailable") return UNAVAILABLE;
    if (read.kind === "profile") known.set(id, read.profile);
  }
  return known;
}

/** Which tenants have no key in force; those that are not there yet have none. */
export async function withoutKey(
  call: StateCall,
  plans: readonly TenantPlan[],
): Promise<ReadonlySet<string> | typeof UNAVAILABLE> {
  const nowMs = Date.now();
  const answers = await inSteps(plans, (some) =>
    Promise.all(
      some.map(async ({ tenant, action }) => ({
        tenant,
        page:
          action === "create"
            ? null
            : await readTenant(onTenant(call, tenant), (object, caller) =>
                object.listKeys(caller, "~", KEYS_LOOKED_AT),
              ),
      })),
    ),
  );
  const keyless = new Set<string>();
  for (const { tenant, page } of answers) {
    if (page !== null && page.kind !== "page") return UNAVAILABLE;
    const inForce = page?.data.some(({ expiresAtMs }) => (expiresAtMs ?? Infinity) > nowMs);
    if (page === null || (!inForce && !page.more)) keyless.add(tenant);
  }
  return keyless;
}

/** Carries the plan out. @param keyless to whom a key is issued */
export const applyPlans = (
  call: StateCall,
  plans: readonly TenantPlan[],
  keyless: ReadonlySet<string>,
): Promise<readonly Applied[]> =>
  inSteps(plans, async (some) => {
    const steps = await Promise.all(
      some.map((plan) => applyPlan(call, plan, keyless.has(plan.tenant))),
    );
    const acts = steps.flatMap(({ acts: recorded }) => recorded);
    const unrecorded = acts.length > 0 && !(await record(call, acts));
    // As with every act: one that is not in the log is no success.
    return steps.map(({ applied, acts: own }) =>
      unrecorded && own.length > 0 ? failed(applied, UNAVAILABLE.kind) : applied,
    );
  });

interface Step {
  readonly applied: Applied;
  readonly acts: readonly Omit<AuditEntry, "atMs">[];
}

const failed = (applied: Applied, failure: string): Applied => ({
  ...applied,
  status: "failed",
  failure,
  key: null,
});

async function applyPlan(call: StateCall, plan: TenantPlan, issuesKey: boolean): Promise<Step> {
  const acting = { ...call, ...onTenant(call, plan.tenant) };
  const begun: Applied = { plan, issuesKey, status: "done", failure: null, key: null };
  const acts: Omit<AuditEntry, "atMs">[] = [];
  if (plan.action !== "unchanged") {
    const change = { kind: "replace", settings: plan.settings } as const;
    const ifMatch = expectedVersion(plan);
    const put = await orInternal(
      call,
      writeAccount(call.env, (account) => account.putTenant(plan.tenant, change, ifMatch)),
    );
    if (put.kind !== "configured") return { applied: failed(begun, put.kind), acts };
    const fields = plan.changes.map(({ field }) => field);
    const detail = { act: plan.action, fields, version: put.profile.version };
    acts.push(newEntry(acting, ACT, detail));
  }
  if (!issuesKey) return { applied: begun, acts };
  const issued = await orInternal(call, issueTo(acting));
  if (issued.kind !== "issued") return { applied: failed(begun, issued.kind), acts };
  const { id, role, key } = issued;
  acts.push(newEntry(acting, ACT, { act: "issue_key", key: id, role }));
  return { applied: { ...begun, key: { id, role, key } }, acts };
}

/** A bug that one tenant meets stops none of the others, and what was done before it is recorded. */
async function orInternal<Result>(
  { requestId }: StateCall,
  act: Promise<Result>,
): Promise<Result | { readonly kind: "internal" }> {
  try {
    return await act;
  } catch (error) {
    logError({ request_id: requestId, route: ACT, error: nameOf(error) });
    return { kind: "internal" };
  }
}

type Acting = StateCall & ReturnType<typeof onTenant>;

async function issueTo(acting: Acting) {
  const { key, secretHash, prefix } = await issueKey(
    acting.caller.tenant,
    acting.config.keySecrets,
  );
  const request = {
    route: ACT,
    newKey: { id: newId("key"), secretHash, prefix },
    name: null,
    role: "call" as const,
    expiresAtMs: null,
    idempotency: null,
  };
  const issued = await writeTenant(acting, (tenant, caller) => tenant.issueKey(caller, request));
  if (issued.kind !== "issued") return issued;
  return { kind: issued.kind, id: issued.key.id, role: request.role, key };
}

async function record(
  call: StateCall,
  acts: readonly Omit<AuditEntry, "atMs">[],
): Promise<boolean> {
  const recorded = await orInternal(
    call,
    writeAccount(call.env, (account) => account.recordAll(acts)),
  );
  return recorded === undefined;
}
