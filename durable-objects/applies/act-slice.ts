import { withDefaults } from "../../src/domain/tenant/settings.ts";
import { againAfterMs, MOST_TRIES, type StateApply } from "../../src/domain/tenant/state-apply.ts";
import { isAsWanted } from "../../src/domain/tenant/state-plan.ts";
import type { AuditEntry } from "../../src/domain/account/audit-entry.ts";
import { type ApplyDeps, answerOf, inLanes, readTenant } from "./apply-deps.ts";
import type { Sender } from "./apply-store.ts";
import type { ApplyRow, GivenSettings } from "./apply-tenant-store.ts";
import { counted } from "./plan-slice.ts";
import { endedAs } from "./store-part.ts";

// Carries the plan out, some tenants at a time, each for itself. What is about to be done is written
// down before it is: after a crash such a tenant is looked at first, so that no change is made twice, none
// is logged twice, and what somebody else changed meanwhile is not overwritten.

/** Tenants of one slice: each is two calls of other objects at most. */
const SLICE = 100;

const ACT = "PUT /admin/state";

type Acted =
  /** @param version now in force, if it is this change that made it */
  | { readonly kind: "done"; readonly row: ApplyRow; readonly version: number | null }
  | { readonly kind: "failed"; readonly row: ApplyRow; readonly failure: string }
  /** It did not answer: it is called again. */
  | { readonly kind: "later"; readonly row: ApplyRow };

export async function actSlice(deps: ApplyDeps, apply: StateApply): Promise<void> {
  const { rows, begun } = takeNext(deps, apply);
  if (rows.length === 0) return finish(deps, apply);
  const creates = rows.filter(({ action }) => action === "create").map(({ tenant }) => tenant);
  const made = new Set(creates.length === 0 ? [] : await deps.account().listedAmong(creates));
  const acted = await inLanes(deps, rows, (row) => {
    const isBegun = begun.has(row.tenant);
    return act(deps, row, { isBegun, mustLook: isBegun || made.has(row.tenant) });
  });
  const isLogged = await log(deps, apply, acted);
  deps.transact((nowMs) => {
    const now = deps.store.readNumber(apply.number);
    if (now === null) return;
    let next = now;
    for (const each of acted) next = write(deps, next, isLogged ? each : unlogged(each), nowMs);
    deps.store.write(next);
  });
}

/** Tenants that were begun and not finished come first. */
function takeNext(deps: ApplyDeps, { number }: StateApply) {
  const { store, newEntryId } = deps;
  return deps.transact(() => {
    const begun = store.tenants.listStage(number, "acting", "", SLICE);
    const fresh = store.tenants
      .listStage(number, "planned", "", SLICE - begun.length)
      .map((row) => {
        const entry = newEntryId();
        store.tenants.begin(number, row.tenant, entry);
        return { ...row, entry };
      });
    return { rows: [...begun, ...fresh], begun: new Set(begun.map(({ tenant }) => tenant)) };
  });
}

interface Standing {
  /** It was about to be changed when an earlier slice was cut short. */
  readonly isBegun: boolean;
  /** It may be another than the plan was made from. */
  readonly mustLook: boolean;
}

async function act(
  deps: ApplyDeps,
  row: ApplyRow,
  { isBegun, mustLook }: Standing,
): Promise<Acted> {
  const settings = withDefaults(row.settings as GivenSettings);
  if (mustLook) {
    const read = await readTenant(deps, row.tenant);
    if (read.kind === "silent") return { kind: "later", row };
    if (read.kind === "internal") return { kind: "failed", row, failure: read.kind };
    const current = read.answer;
    if (current !== null && isAsWanted(current.settings, settings)) {
      const isOurs = isBegun && current.version === (row.version ?? 0) + 1;
      return { kind: "done", row, version: isOurs ? current.version : null };
    }
    if ((current?.version ?? null) !== row.version) return conflicting(row);
  }
  const change = { kind: "replace", settings } as const;
  const put = await answerOf(deps, () => deps.account().putTenant(row.tenant, change, row.version));
  if (put.kind === "silent") return { kind: "later", row };
  if (put.kind === "internal") return { kind: "failed", row, failure: put.kind };
  const { answer } = put;
  return answer.kind === "configured"
    ? { kind: "done", row, version: answer.profile.version }
    : { kind: "failed", row, failure: answer.kind };
}

const conflicting = (row: ApplyRow): Acted => ({
  kind: "failed",
  row,
  failure: "version_conflict",
});

/** Whether what was done is in the account's log. */
async function log(deps: ApplyDeps, apply: StateApply, acted: readonly Acted[]): Promise<boolean> {
  const senders = deps.store.senders(apply.number);
  const entries = acted.flatMap((each) => {
    if (each.kind !== "done" || each.version === null) return [];
    return [entryOf(apply, each, senders.get(each.row.part) ?? apply)];
  });
  if (entries.length === 0) return true;
  const logged = await answerOf(deps, () => deps.account().recordAll(entries));
  return logged.kind === "answered";
}

const entryOf = (
  { id }: StateApply,
  { row, version }: Extract<Acted, { kind: "done" }>,
  { actor, requestId }: Sender,
): Omit<AuditEntry, "atMs"> => ({
  id: row.entry as string,
  actor,
  action: ACT,
  tenant: row.tenant,
  requestId,
  detail: {
    act: row.action,
    fields: row.changes.map(({ field }) => field),
    version,
    apply: id,
  },
});

/** As with every act: one that is not in the log is no success. It is looked at again. */
const unlogged = (each: Acted): Acted =>
  each.kind === "done" && each.version !== null ? { kind: "later", row: each.row } : each;

function write(deps: ApplyDeps, apply: StateApply, each: Acted, nowMs: number): StateApply {
  const { store } = deps;
  const { tenant, tries } = each.row;
  if (each.kind === "done") {
    store.tenants.end(apply.number, tenant, null);
    return counted(apply, ["done"]);
  }
  if (each.kind === "later" && tries + 1 < MOST_TRIES) {
    store.tenants.countTry(apply.number, tenant);
    return { ...apply, dueAtMs: Math.max(apply.dueAtMs, nowMs + againAfterMs(tries + 1)) };
  }
  store.tenants.end(apply.number, tenant, each.kind === "later" ? "unavailable" : each.failure);
  return counted(apply, ["failed"]);
}

function finish(deps: ApplyDeps, apply: StateApply): void {
  deps.transact((nowMs) => {
    const now = deps.store.readNumber(apply.number);
    if (now?.state === "applying") deps.store.write(endedAs(now, "done", nowMs));
  });
}
