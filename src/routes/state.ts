import * as v from "valibot";
import { withDefaults } from "../domain/tenant/settings.ts";
import { planState, promiseOf } from "../domain/tenant/state-plan.ts";
import { tenantWarnings } from "../domain/tenant/tenant-warnings.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { given } from "../api/native/settings.ts";
import {
  type Applied,
  AppliedStateOutput,
  MOST_TENANTS,
  StateInput,
  toAppliedState,
} from "../api/native/state.ts";
import { partQuery, StateApplyOutput } from "../api/native/state-apply.ts";
import { applyPlans, readTenants, withoutKey } from "./apply-state.ts";
import { invalid } from "../http/field-errors.ts";
import { storePart } from "./state-applies.ts";
import { readAccount } from "../edge/bindings.ts";

// The tenants made as one document says, which is kept under version control.

const auth = { kind: "platform" } as const;

/** 500 tenants with every field set have about 400 KB. */
const LIMIT_BYTES = 1_048_576;

const TOO_MANY = `needs a document in parts (apply, part): there are more than ${MOST_TENANTS} tenants, and one body can name no more`;

/** What is left of a document that was cut short, or of a template that found nothing. */
const NAMES_NOBODY = "would suspend every tenant, since the document names none: name at least one";

const TOGETHER = "and apply come together: both for a part of a document, neither for a whole one";

const NOT_WHOLE = "would suspend the tenants of the other pages: has_more says that there are some";

/** Keys of objects that valibot passes over, so as not to obey them. */
const UNSAFE_IDS = ["constructor", "prototype"] as const;

export const putState = defineRoute({
  method: "PUT",
  path: "/admin/state",
  summary: "Make the tenants as a document says",
  description:
    "Answers with the plan, tenant by tenant, and with `dry_run=true` does no more. Can be repeated: what is as it should be is left as it is. 207: something failed, see `tenants[].failure`; the rest was done. With `apply` and `part` it is one part of a larger document: it is stored, and the answer says how far the apply is.",
  surface: "native",
  auth,
  query: v.strictObject({
    ...partQuery,
    dry_run: v.optional(
      v.pipe(
        v.picklist(["true", "false"]),
        v.description("Plan only."),
        v.transform((text) => text === "true"),
      ),
      "false",
    ),
  }),
  body: { schema: StateInput, limitBytes: LIMIT_BYTES },
  reply: {
    status: 200,
    otherStatus: 207,
    schema: v.variant("object", [AppliedStateOutput, StateApplyOutput]),
  },
  failures: ["apply_conflict", "storage_full"],
  audit: "acts",
  handle: async (call) => {
    const { prune, issue_keys: issueKeys } = call.body;
    if (prune && call.body.has_more) return invalid(["prune"], NOT_WHOLE);
    const unsafe = unsafeId(call.rawBody);
    if (unsafe !== undefined) return invalid(["tenants", unsafe], "is only for /admin/tenants");
    const { apply, part } = call.query;
    if (apply !== undefined && part !== undefined) return storePart(call, { apply, ...part });
    if (apply !== undefined || part !== undefined) return invalid(["part"], TOGETHER);
    const tenants = new Map(
      Object.entries(call.body.tenants).map(([id, fields]) => [id, withDefaults(given(fields))]),
    );
    const all = prune
      ? await readAccount(call.env, (account) => account.listTenants("", MOST_TENANTS))
      : { ids: [], more: false };
    if ("kind" in all) return all;
    if (all.more) return invalid(["prune"], TOO_MANY);
    if (prune && tenants.size === 0 && all.ids.length > 0) return invalid(["prune"], NAMES_NOBODY);
    const current = await readTenants(call, [...new Set([...tenants.keys(), ...all.ids])]);
    if ("kind" in current) return current;
    const plans = planState(current, { tenants, prune });
    // Asked before anything is done: a reply that shows keys must not be lost for a warning.
    const ofAccount = await readAccount(call.env, (account) =>
      account.warningsWith(plans.map(promiseOf)),
    );
    if ("kind" in ofAccount) return ofAccount;
    const served = plans.filter(({ settings }) => issueKeys && !settings.suspended);
    const keyless = await withoutKey(call, served);
    if ("kind" in keyless) return keyless;
    const dryRun = call.query.dry_run;
    const applied = dryRun
      ? plans.map((plan): Applied => ({
          plan,
          issuesKey: keyless.has(plan.tenant),
          status: "planned",
          failure: null,
          key: null,
        }))
      : await applyPlans(call, plans, keyless);
    const ofTenants = plans
      .filter(({ action }) => action !== "suspend")
      .flatMap(({ tenant, settings }) =>
        tenantWarnings(settings, call.config.workersPlan).map((warning) => ({ tenant, warning })),
      );
    const warnings = [...ofAccount.map((warning) => ({ tenant: null, warning })), ...ofTenants];
    const state = toAppliedState(dryRun, applied, warnings);
    return ok(state, { status: state.complete ? 200 : 207 });
  },
});

/** It was parsed before, and is bounded. */
function unsafeId(body: Uint8Array): string | undefined {
  const { tenants } = JSON.parse(new TextDecoder().decode(body)) as { tenants: object };
  return UNSAFE_IDS.find((id) => Object.hasOwn(tenants, id));
}
