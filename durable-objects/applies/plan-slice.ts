import { sumOf } from "../../src/domain/account/account-terms.ts";
import { withDefaults } from "../../src/domain/tenant/settings.ts";
import {
  againAfterMs,
  type ApplyCounts,
  MOST_TRIES,
  type StateApply,
} from "../../src/domain/tenant/state-apply.ts";
import {
  planPruned,
  planTenant,
  promiseOf,
  type TenantPlan,
} from "../../src/domain/tenant/state-plan.ts";
import { tenantWarnings } from "../../src/domain/tenant/tenant-warnings.ts";
import { type ApplyDeps, type ObjectAnswer, inLanes, readTenant } from "./apply-deps.ts";
import type { ApplyRow } from "./apply-tenant-store.ts";
import { endedAs } from "./store-part.ts";

// Finds out what is to be done, some tenants at a time: first, where the document prunes, which tenants
// no part names; then what each tenant is and should be. Nothing is changed before all of it is known.

/** Tenants of one slice: each is one call of another object, of which a free Worker has 1,000. */
const SLICE = 200;

/** A row's plan, or why it has none: the tenant is gone, or its object gave no answer. */
type Looked =
  | { readonly row: ApplyRow; readonly kind: "plan"; readonly plan: TenantPlan }
  | { readonly row: ApplyRow; readonly kind: "gone" | "silent" | "internal" };

export async function planSlice(deps: ApplyDeps, apply: StateApply): Promise<void> {
  if (apply.prunedTo !== null) return findOthers(deps, apply, apply.prunedTo);
  const rows = deps.store.tenants.listStage(apply.number, "stored", "", SLICE);
  if (rows.length === 0) return finishPlan(deps, apply);
  const listed = new Set(await deps.account().listedAmong(rows.map(({ tenant }) => tenant)));
  const looked = await inLanes(deps, rows, (row) => look(deps, row, listed.has(row.tenant)));
  const plans = looked.flatMap((each) => (each.kind === "plan" ? [each.plan] : []));
  const change = await deps.account().plannedChange(plans.map(promiseOf));
  deps.transact((nowMs) => {
    const now = deps.store.readNumber(apply.number);
    if (now?.state !== "planning") return;
    let next: StateApply = {
      ...now,
      change: sumOf(now.change, change),
    };
    for (const each of looked) next = write(deps, next, each, nowMs);
    deps.store.write(next);
  });
}

async function look(deps: ApplyDeps, row: ApplyRow, isListed: boolean): Promise<Looked> {
  const read = isListed ? await readTenant(deps, row.tenant) : NOBODY;
  if (read.kind !== "answered") return { row, kind: read.kind };
  const current = read.answer;
  if (row.settings !== null) {
    const plan = planTenant(row.tenant, current, withDefaults(row.settings));
    return { row, kind: "plan", plan };
  }
  if (current === null) return { row, kind: "gone" };
  return { row, kind: "plan", plan: planPruned(row.tenant, current) };
}

const NOBODY: ObjectAnswer<null> = { kind: "answered", answer: null };

/** Writes down what came of one tenant; returns what that makes of the apply. */
function write(deps: ApplyDeps, apply: StateApply, each: Looked, nowMs: number): StateApply {
  const { store } = deps;
  const { tenant, tries } = each.row;
  if (each.kind === "plan") {
    const { action, settings } = each.plan;
    const isNamed = action !== "suspend";
    store.tenants.writePlan(
      apply.number,
      each.plan,
      isNamed ? tenantWarnings(settings, deps.accountPlan) : [],
    );
    return counted(apply, action === "unchanged" ? [action, "done"] : [action]);
  }
  if (each.kind === "gone") {
    store.tenants.remove(apply.number, tenant);
    return { ...apply, others: apply.others - 1 };
  }
  if (each.kind === "silent" && tries + 1 < MOST_TRIES) {
    store.tenants.countTry(apply.number, tenant);
    return { ...apply, dueAtMs: Math.max(apply.dueAtMs, nowMs + againAfterMs(tries + 1)) };
  }
  store.tenants.end(apply.number, tenant, each.kind === "silent" ? "unavailable" : "internal");
  return counted(apply, ["failed"]);
}

export const counted = (apply: StateApply, counts: readonly (keyof ApplyCounts)[]): StateApply => {
  const next: Record<keyof ApplyCounts, number> = { ...apply.counts };
  for (const name of counts) next[name] += 1;
  return { ...apply, counts: next };
};

/** One page of all tenants: those that no part names are to be looked at like the others. */
async function findOthers(deps: ApplyDeps, apply: StateApply, after: string): Promise<void> {
  const { store } = deps;
  const page = await deps.account().listTenants(after, SLICE);
  deps.transact(() => {
    const now = store.readNumber(apply.number);
    if (now?.state !== "planning" || now.prunedTo !== after) return;
    const named = store.tenants.among(apply.number, page.ids);
    const others = page.ids.filter((id) => !named.has(id));
    for (const id of others) store.tenants.add(apply.number, id, 0, null);
    store.write({
      ...now,
      others: now.others + others.length,
      prunedTo: page.more ? (page.ids.at(-1) ?? null) : null,
    });
  });
}

async function finishPlan(deps: ApplyDeps, apply: StateApply): Promise<void> {
  const warnings = await deps.account().warningsOf(apply.change);
  deps.transact((nowMs) => {
    const now = deps.store.readNumber(apply.number);
    if (now?.state !== "planning") return;
    const planned = { ...now, warnings };
    deps.store.write(
      planned.dryRun ? endedAs(planned, "planned", nowMs) : { ...planned, state: "applying" },
    );
  });
}
