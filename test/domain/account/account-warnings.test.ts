import { describe, expect, it } from "vitest";
import { accountWarnings } from "../../../src/domain/account/account-warnings.ts";
import {
  type AccountSettings,
  DEFAULT_ACCOUNT_SETTINGS,
  poolSize,
} from "../../../src/domain/account/account-terms.ts";
import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { withDefaults } from "../../../src/domain/tenant/settings.ts";
import { tenantWarnings } from "../../../src/domain/tenant/tenant-warnings.ts";

const FREE = withDefaults({ plan: "free", daily_neurons: 10 });
const CAPPED = withDefaults({ plan: "paid", daily_neurons: 10, overage_cap_neurons: 0 });
const UNLIMITED = { ...CAPPED, overage_cap_neurons: "unlimited" } as const;

const kinds = (warnings: readonly { readonly kind: string }[]) => warnings.map(({ kind }) => kind);

describe("warnings of a tenant", () => {
  it.each([
    ["free on a free account", FREE, "free", []],
    ["free on a paid account", FREE, "paid", []],
    ["capped on a paid account", CAPPED, "paid", []],
    ["capped on a free account", CAPPED, "free", ["paid_tenant_on_free_account"]],
    ["unlimited on a paid account", UNLIMITED, "paid", ["unlimited_overage"]],
    ["both", UNLIMITED, "free", ["unlimited_overage", "paid_tenant_on_free_account"]],
  ] as const)("%s", (_, settings, plan, expected) => {
    expect(kinds(tenantWarnings(settings, plan))).toEqual(expected);
  });
});

const sizeOf = (plan: "free" | "paid", settings: Partial<AccountSettings> = {}) =>
  poolSize({
    plan,
    settings: { ...DEFAULT_ACCOUNT_SETTINGS, ...settings },
    billedBefore: 0,
    measuredMargin: ZERO,
  });

describe("warnings of the account", () => {
  const sums = { floors: 0, promised: 10 };
  it.each([
    ["free", sizeOf("free"), []],
    ["paid, without a cap", sizeOf("paid"), ["paid_account_without_cap"]],
    ["paid, capped by the day", sizeOf("paid", { daily_cap_neurons: 1 }), []],
    ["paid, capped by money", sizeOf("paid", { monthly_cap_usd: "1" }), []],
  ])("%s", (_, size, expected) => {
    expect(kinds(accountWarnings(sums, size))).toEqual(expected);
  });
});
