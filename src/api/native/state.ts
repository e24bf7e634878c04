import * as v from "valibot";
import type { TenantPlan } from "../../domain/tenant/state-plan.ts";
import type { Warning } from "../../domain/account/account-warnings.ts";
import { TENANT_ID } from "../../http/authenticate.ts";
import { ROLES } from "../../domain/tenant/role.ts";
import { MAX_NAME, wholeNumber } from "../field.ts";
import { SettingsInput, TenantOutput } from "./settings.ts";
import { toWarning, WarningOutput } from "./warning.ts";
import { record, strictObject } from "../object-input.ts";

// All tenants in one document, and what was done to make them so.

/** More tenants are changed in several documents, or one by one. */
export const MOST_TENANTS = 500;

const prune = v.pipe(
  v.boolean(),
  v.description("Suspend the tenants that are not named; never delete one."),
);
const issueKeys = v.pipe(
  v.boolean(),
  v.description("Issue a key of role `call` to each named tenant that has none in force."),
);

const hasMore = v.pipe(
  v.boolean(),
  v.description("There are more tenants, on other pages: this document can prune nobody."),
);
const nextCursor = v.pipe(
  v.nullable(v.pipe(v.string(), v.maxLength(MAX_NAME))),
  v.description("Where the next page begins; null: this was the last one."),
);

export const StateInput = strictObject({
  object: v.optional(v.literal("state")),
  tenants: v.pipe(
    record(
      v.pipe(v.string(), v.regex(TENANT_ID), v.description("The tenant's id.")),
      SettingsInput,
    ),
    v.maxEntries(MOST_TENANTS),
    v.description(
      "Settings by tenant id, as PUT takes them: an absent field takes its default. A tenant that is not named is left alone.",
    ),
  ),
  prune: v.optional(prune, false),
  issue_keys: v.optional(issueKeys, false),
  has_more: v.optional(hasMore, false),
  next_cursor: v.optional(nextCursor, null),
});

const {
  id: _id,
  object: _object,
  created_at: _c,
  updated_at: _u,
  version: _v,
  ...SETTINGS
} = TenantOutput.entries;

export const StateOutput = v.object({
  object: v.literal("state"),
  tenants: v.record(v.string(), v.object(SETTINGS)),
  prune,
  issue_keys: issueKeys,
  has_more: hasMore,
  next_cursor: nextCursor,
});

const value = (description: string) => v.pipe(v.unknown(), v.description(description));

export const actionOutput = v.pipe(
  v.picklist(["create", "update", "unchanged", "suspend"]),
  v.description("What makes the tenant as the document says."),
);

export const changesOutput = v.array(
  v.object({
    field: v.string(),
    from: value("Null where there is no tenant yet."),
    to: value("As the document says."),
  }),
);

const AppliedTenantOutput = v.object({
  tenant: v.string(),
  action: actionOutput,
  changes: changesOutput,
  issues_key: v.pipe(v.boolean(), v.description("Whether a key is issued, too.")),
  status: v.pipe(
    v.picklist(["planned", "done", "failed"]),
    v.description("`failed`: send the document again; what is done is then unchanged."),
  ),
  failure: v.pipe(v.nullable(v.string()), v.description("The kind of failure.")),
  key: v.pipe(
    v.nullable(v.object({ id: v.string(), role: v.picklist(ROLES), key: v.string() })),
    v.description("The key that was issued: shown here and never again."),
  ),
});

export const count = (description: string) => wholeNumber(0, 1_000_000, description);

export const AppliedStateOutput = v.object({
  object: v.literal("applied_state"),
  dry_run: v.pipe(v.boolean(), v.description("Nothing was changed: this is the plan.")),
  complete: v.pipe(v.boolean(), v.description("Nothing failed.")),
  counts: v.object({
    create: count("Tenants to make."),
    update: count("Tenants to change."),
    unchanged: count("Tenants that are as they should be."),
    suspend: count("Tenants that are not named and were not suspended."),
    issue_keys: count("Keys to issue."),
    failed: count("Tenants of which something failed."),
  }),
  warnings: v.pipe(
    v.array(
      v.object({
        tenant: v.pipe(
          v.nullable(v.string()),
          v.description("Whose settings it is about; null: the account's."),
        ),
        ...WarningOutput.entries,
      }),
    ),
    v.description(
      "Settings that may cost more, or give less, than was meant, once all of the document is done.",
    ),
  ),
  tenants: v.pipe(v.array(AppliedTenantOutput), v.description("By id.")),
});

/** How far a tenant's part of the plan is. */
export interface Applied {
  readonly plan: TenantPlan;
  readonly issuesKey: boolean;
  readonly status: "planned" | "done" | "failed";
  readonly failure: string | null;
  readonly key: { readonly id: string; readonly role: "call"; readonly key: string } | null;
}

/** @param warnings with the tenant that each is about; null: the account */
export function toAppliedState(
  dryRun: boolean,
  applied: readonly Applied[],
  warnings: readonly { readonly tenant: string | null; readonly warning: Warning }[],
) {
  const counted = (test: (one: Applied) => boolean): number => applied.filter(test).length;
  const acted = (action: TenantPlan["action"]): number =>
    counted(({ plan }) => plan.action === action);
  const failed = counted(({ status }) => status === "failed");
  return {
    object: "applied_state" as const,
    dry_run: dryRun,
    complete: failed === 0,
    counts: {
      create: acted("create"),
      update: acted("update"),
      unchanged: acted("unchanged"),
      suspend: acted("suspend"),
      issue_keys: counted(({ issuesKey }) => issuesKey),
      failed,
    },
    warnings: warnings.map(({ tenant, warning }) => ({ tenant, ...toWarning(warning) })),
    tenants: applied.map(({ plan, issuesKey, status, failure, key }) => ({
      tenant: plan.tenant,
      action: plan.action,
      changes: plan.changes.map(({ field, from, to }) => ({ field, from, to })),
      issues_key: issuesKey,
      status,
      failure,
      key,
    })),
  };
}
