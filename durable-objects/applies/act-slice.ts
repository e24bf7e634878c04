import { NO_VERSION, type Settings, withDefaults } from "../../src/domain/tenant/settings.ts";
import { againAfterMs, MOST_TRIES, type StateApply } from "../../src/domain/tenant/state-apply.ts";
import { expectedVersion, isAsWanted } from "../../src/domain/tenant/state-plan.ts";
import type { AuditEntry } from "../../src/domain/account/audit-entry.ts";
import { type ApplyDeps, answerOf, inLanes, readTenant } from "./apply-deps.ts";
import type { Sender } from "./apply-store.ts";
import type { ApplyRow, GivenSettings } from "./apply-tenant-store.ts";
import { counted } from "./plan-slice.ts";
import { endedAs } from "./store-part.ts";

// Carries the plan out, some tenants at a time, each for itself. What is about to be done is written
// down before it is: after a crash such a tenant is looked at first, so that no change is made twice and
// none is logged twice. Each change names the version that it was planned from, a create that there is no
// tenant: what somebody else did meanwhile is not overwritten.

/** Tenants of one slice: each is three calls of other objects at most. */
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
  const acted = await inLanes(deps, rows, (row) => act(deps, row, begun.has(row.tenant)));
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

async function act(deps: ApplyDeps, row: ApplyRow, isBegun: boolean): Promise<Acted> {
  const settings = withDefaults(row.settings as GivenSettings);
  const present = isBegun ? await look(deps, row, { settings, isBegun }) : null;
  if (present !== null) return present;
  const change = { kind: "replace", settings } as const;
  const ifMatch = expectedVersion(row);
  const put = await answerOf(deps, () => deps.account().putTenant(row.tenant, change, ifMatch));
  if (put.kind === "silent") return { kind: "later", row };
  if (put.kind === "internal") return { kind: "failed", row, failure: put.kind };
  const { answer } = put;
  if (answer.kind === "configured") {
    return { kind: "done", row, version: answer.profile.version };
  }
  if (answer.kind !== "version_conflict") return { kind: "failed", row, failure: answer.kind };
  return (await look(deps, row, { settings, isBegun })) ?? conflicting(row);
}

/**
 * What came of a tenant that may not be as it was planned from. Null: it is.
 *
 * @param wanted `isBegun`: an earlier slice was about to change it, so the change may be ours
 */
async function look(
  deps: ApplyDeps,
  row: ApplyRow,
  wanted: { readonly settings: Settings; readonly isBegun: boolean },
): Promise<Acted | null> {
  const read = await readTenant(deps, row.tenant);
  if (read.kind === "silent") return { kind: "later", row };
  if (read.kind === "internal") return { kind: "failed", row, failure: read.kind };
  const version = read.answer?.version ?? NO_VERSION;
  if (read.answer !== null && isAsWanted(read.answer.settings, wanted.settings)) {
    const isOurs = wanted.isBegun && version === expectedVersion(row) + 1;
    return { kind: "done", row, version: isOurs ? version : null };
  }
  return version === expectedVersion(row) ? null : conflicting(row);
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
