import type { Promised } from "../account/account-terms.ts";
import { DEFAULT_SETTINGS, NO_VERSION, promisedBy, type Settings } from "./settings.ts";

// The plan that makes the tenants match a document: the differences between present and wanted settings,
// tenant by tenant. A tenant that the document does not name is left alone or, if the document is complete,
// suspended. Nothing is ever deleted.

export interface CurrentTenant {
  readonly settings: Settings;
  readonly version: number;
}

export interface FieldChange {
  readonly field: keyof Settings;
  /** Null when the tenant does not exist yet. */
  readonly from: unknown;
  readonly to: unknown;
}

export type Action = "create" | "update" | "unchanged" | "suspend";

export interface TenantPlan {
  readonly tenant: string;
  readonly action: Action;
  /** Ordered by name. For a new tenant: the fields that differ from their defaults. */
  readonly changes: readonly FieldChange[];
  readonly settings: Settings;
  /** The version that the plan was made from; null for a new tenant. */
  readonly version: number | null;
}

/** What a tenant would be promised after the planned change. */
export interface PlannedPromise extends Promised {
  readonly tenant: string;
}

export interface StateDocument {
  readonly tenants: ReadonlyMap<string, Settings>;
  readonly prune: boolean;
}

/**
 * The plan, ordered by tenant.
 *
 * @param current the tenants that the document names; with `prune`, all tenants
 */
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

/** The plan for a tenant that the complete document does not name. */
export function planPruned(tenant: string, known: CurrentTenant): TenantPlan {
  const plan = planTenant(tenant, known, { ...known.settings, suspended: true });
  return plan.action === "update" ? { ...plan, action: "suspend" } : plan;
}

/** The plan for a tenant that the document names. @param known null: it does not exist yet */
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

/** The version that a tenant must have when its plan is carried out: others may change it meanwhile. */
export const expectedVersion = ({ version }: Pick<TenantPlan, "version">): number =>
  version ?? NO_VERSION;

export const promiseOf = ({ tenant, settings, version }: TenantPlan): PlannedPromise => ({
  ...promisedBy({ settings, version: expectedVersion({ version }) }),
  tenant,
});

/** Whether nothing has to change. */
export const isAsWanted = (present: Settings, wanted: Settings): boolean =>
  differences(present, wanted).length === 0;

function differences(before: Partial<Settings>, after: Settings): readonly FieldChange[] {
  const fields = Object.keys(after).toSorted() as (keyof Settings)[];
  return fields
    .filter((field) => !isSame(before[field], after[field]))
    .map((field) => ({ field, from: before[field] ?? null, to: after[field] }));
}

/** Compares JSON values: the order of an object's keys does not matter, the order of a list does. */
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
