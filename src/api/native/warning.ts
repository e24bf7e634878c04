import * as v from "valibot";
import type { Warning } from "../../domain/account/account-warnings.ts";
import { microNeuronsOut } from "../field.ts";

// What replies to a change of a tenant, and the account, warn of. A warning refuses nothing.

export const WarningOutput = v.object({
  kind: v.pipe(
    v.picklist([
      "floors_above_pool",
      "promised_above_pool",
      "promised_above_allocation",
      "paid_account_without_cap",
      "unlimited_overage",
      "paid_tenant_on_free_account",
    ]),
    v.description("What was found."),
  ),
  detail: v.pipe(v.string(), v.description("The same as a sentence, with what to do.")),
  promised_micro_neurons: v.nullable(
    microNeuronsOut("What all tenants together are promised a day; null: it is not about that."),
  ),
  available_micro_neurons: v.nullable(microNeuronsOut("What there is of it.")),
});

export const toWarning = (warning: Warning): v.InferOutput<typeof WarningOutput> => ({
  kind: warning.kind,
  detail: warning.detail,
  promised_micro_neurons: "promised" in warning ? warning.promised : null,
  available_micro_neurons: "available" in warning ? warning.available : null,
});
