import { type Plan, UNLIMITED } from "../ledger/quota.ts";
import type { Settings } from "./settings.ts";

// Warnings to the platform about one tenant's settings: they can cost more than was meant, or promise more
// than there is. Nothing is refused because of a warning.

/** A warning about money; warnings about promises also have amounts. */
export interface MoneyWarning {
  readonly kind: "unlimited_overage" | "paid_tenant_on_free_account" | "paid_account_without_cap";
  readonly detail: string;
}

type Terms = Pick<Settings, "plan" | "overage_cap_neurons" | "monthly_cap_neurons">;

/** @param accountPlan the Cloudflare account's plan, not the tenant's */
export function tenantWarnings(terms: Terms, accountPlan: Plan): readonly MoneyWarning[] {
  if (terms.plan === "free") return [];
  const warnings: MoneyWarning[] = [];
  if (terms.overage_cap_neurons === UNLIMITED) {
    const stop =
      terms.monthly_cap_neurons === null
        ? "nothing stops what a day may cost"
        : `only the monthly cap of ${terms.monthly_cap_neurons} neurons stops what a day may cost`;
    const detail = `The overage of this tenant is unlimited: ${stop}. Set overage_cap_neurons to a number to limit it.`;
    warnings.push({ kind: "unlimited_overage", detail });
  }
  if (accountPlan === "free") {
    const detail =
      "This tenant is on the paid plan and the Cloudflare account is on the free one: once the account's neurons of a day are used, this tenant is refused too. If the account is paid, set CLOUDFLARE_PLAN.";
    warnings.push({ kind: "paid_tenant_on_free_account", detail });
  }
  return warnings;
}
