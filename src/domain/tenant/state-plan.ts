import type { Promised } from "../account/account-terms.ts";
import { DEFAULT_SETTINGS, promisedBy, type Settings } from "./settings.ts";

// What has to be done so that the tenants are as a document says: the difference between what is and
// what is wanted, tenant by tenant. A tenant that the document does not name is left alone, or, when
// the document is meant to be whole, suspended. Nothing is ever deleted.

export interface CurrentTenant {
  readonly settings: Settings;
  readonly version: number;
}

export interface FieldChange {
  readonly field: keyof Settings;
  /** Null where there is no tenant yet. */
  readonly from: unknown;
  readonly to: unknown;
}

export type Action = "create" | "update" | "unchanged" | "suspend";

export interface TenantPlan {
  readonly tenant: string;
  readonly action: Action;
  /** By name; of a new tenant those that are not as they are by default. */
  readonly changes: readonly FieldChange[];
  readonly settings: Settings;
  /** That the plan was made from; null of a new tenant. */
  readonly version: number | null;
}

/** What a tenant would be promised, were it changed as is planned. */
export interface PlannedPromise extends Promised {
  readonly tenant: string;
}

export interface StateDocument {
  readonly tenants: ReadonlyMap<string, Settings>;
  readonly prune: boolean;
}

/** The plan, by tenant. @param current those that the document names, and with `prune` all */
export function planState(
  current: ReadonlyMap<string, CurrentTenant>,
  { tenants, prune }: StateDocument,
): readonly TenantPlan[] {
  const named = [...tenants].map(([tenant, wanted]) =>
    planTenant(tenant, current.get(tenant) ?? null, wanted),
  );
  const others = prune ? [...current].filter(([tenant]) => !tenants.has(tenant)) : [];
  const pruned = others.map(([tenant, known]) => planPruned(tenant, known));
  return [...named, ...pruned].toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
}

/** Of a tenant that the whole document does not name. */
export function planPruned(tenant: string, known: CurrentTenant): TenantPlan {
  const plan = planTenant(tenant, known, { ...known.settings, suspended: true });
  return plan.action === "update" ? { ...plan, action: "suspend" } : plan;
}

/** Of one that it names. @param known null: it is not there yet */
export function planTenant(
  tenant: string,
  known: CurrentTenant | null,
  settings: Settings,
): TenantPlan {
  if (known === null) {
    const changes = differences(DEFAULT_SETTINGS, settings).map(({ field, to }) => ({
      field,
      from: null,
      to,
    }));
    return { tenant, action: "create", changes, settings, version: null };
  }
  const { version } = known;
  const changes = differences(known.settings, settings);
  return {
    tenant,
    action: changes.length === 0 ? "unchanged" : "update",
    changes,
    settings,
    version,
  };
}

export const promiseOf = ({ tenant, settings, version }: TenantPlan): PlannedPromise => ({
  ...promisedBy({ settings, version: version ?? 0 }),
  tenant,
});

/** Whether nothing has to be done. */
export const isAsWanted = (is: Settings, wanted: Settings): boolean =>
  differences(is, wanted).length === 0;

function differences(before: Partial<Settings>, after: Settings): readonly FieldChange[] {
  const fields = Object.keys(after).toSorted() as (keyof Settings)[];
  return fields
    .filter((field) => !isSame(before[field], after[field]))
    .map((field) => ({ field, from: before[field] ?? null, to: after[field] }));
}

/** JSON values: the order of an object's keys says nothing, that of a list does. */
function isSame(a: unknown, b: unknown): boolean {
  // JSON has no NaN, and its -0 is stored as 0.
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}
