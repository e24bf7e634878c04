import { promiseWarnings, type PromiseSums, type PromiseWarning } from "./account-terms.ts";
import type { MicroNeurons } from "../ledger/micro-neurons.ts";
import type { MoneyWarning } from "../tenant/tenant-warnings.ts";

// Warnings to the platform about the whole account, repeated with each change of a tenant.

export type Warning = PromiseWarning | MoneyWarning;

/** @param size the day's pool; null: the account is paid and has no cap */
export const accountWarnings = (
  sums: PromiseSums,
  size: MicroNeurons | null,
): readonly Warning[] => [...promiseWarnings(sums, size), ...(size === null ? [WITHOUT_CAP] : [])];

const WITHOUT_CAP: MoneyWarning = {
  kind: "paid_account_without_cap",
  detail:
    "The Cloudflare account is paid and has no cap: what all tenants together use beyond its free neurons is billed without a limit. Set daily_cap_neurons or monthly_cap_usd of the account to limit it.",
};
