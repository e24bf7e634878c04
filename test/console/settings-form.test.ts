import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { Limits, Tenant } from "../../console/src/api/shapes.ts";
import {
  bodyOf,
  changesOf,
  effectsOf,
  fieldsOf,
  NEW_TENANT,
  patchOf,
} from "../../console/src/tenant/settings-form.ts";
import { DEFAULT_SETTINGS } from "../../src/domain/tenant/settings.ts";
import { SettingsInput, SettingsPatchInput } from "../../src/api/native/settings.ts";

const TENANT: Tenant = {
  ...DEFAULT_SETTINGS,
  object: "tenant",
  id: "acme",
  plan: "free",
  daily_neurons: 100,
  rpm: { requests: 300, text_generation: 60 },
  created_at: "2026-11-20T00:00:00.000Z",
  updated_at: "2026-11-20T00:00:00.000Z",
  version: 7,
};

const LIMITS: Limits = {
  object: "limits",
  tenant: "acme",
  plan: "free",
  day: "2026-11-20",
  resets_at: "2026-11-21T00:00:00.000Z",
  limit_micro_neurons: 100_000_000,
  posted_micro_neurons: 60_000_000,
  pending_micro_neurons: 0,
  available_micro_neurons: 40_000_000,
  grants: [],
  month: {
    month: "2026-11",
    resets_at: "2026-12-01T00:00:00.000Z",
    limit_micro_neurons: null,
    posted_micro_neurons: 60_000_000,
    pending_micro_neurons: 0,
    available_micro_neurons: null,
  },
  overage: { micro_neurons: 0, cap_neurons: null },
  rates: [{ name: "requests", limit: 300, remaining: 250, resets_at: null }],
  in_flight: { limit: 50, used: 0 },
  account_closed: false,
};

const before = fieldsOf(TENANT);

const effects = (change: Partial<typeof before>, limits: Limits | null = LIMITS) =>
  effectsOf({ ...before, ...change }, TENANT, limits);

describe("what is sent", () => {
  it("makes a tenant with the defaults that the server has", () => {
    const body = v.parse(SettingsInput, bodyOf(NEW_TENANT));
    const { plan: _plan, daily_neurons: _daily, ...rest } = body;
    for (const [name, value] of Object.entries(rest)) {
      expect([name, value]).toEqual([
        name,
        DEFAULT_SETTINGS[name as keyof typeof DEFAULT_SETTINGS],
      ]);
    }
  });

  it("is nothing where nothing was changed", () => {
    expect(patchOf(before, before)).toEqual({});
  });

  it("is what was changed, and an emptied rate goes back to its default", () => {
    const after = {
      ...before,
      plan: "paid" as const,
      daily_neurons: "250.5",
      overage_cap_neurons: "10",
      rpm: { requests: "20", text_generation: "" },
    };
    const patch = patchOf(before, after);
    expect(patch).toEqual({
      plan: "paid",
      daily_neurons: 250.5,
      overage_cap_neurons: 10,
      rpm: { requests: 20, text_generation: null },
    });
    expect(v.is(SettingsPatchInput, patch)).toBe(true);
  });

  it("is a cap, or the word for none: an empty cap is for the server to refuse", () => {
    const paid = { ...before, plan: "paid" as const };
    expect(patchOf(before, paid)).toEqual({ plan: "paid" });
    const unlimited = { ...paid, overage_unlimited: true, overage_cap_neurons: "7" };
    expect(patchOf(before, unlimited)).toEqual({ plan: "paid", overage_cap_neurons: "unlimited" });
    expect(v.is(SettingsInput, bodyOf(unlimited))).toBe(true);
    expect(v.is(SettingsInput, bodyOf(paid))).toBe(false);
    const stored = fieldsOf({ ...TENANT, plan: "paid", overage_cap_neurons: "unlimited" });
    expect(stored).toMatchObject({ overage_unlimited: true, overage_cap_neurons: "" });
    const capped = { ...stored, overage_unlimited: false, overage_cap_neurons: "0" };
    expect(patchOf(stored, capped)).toEqual({ overage_cap_neurons: 0 });
    // A cap that was typed before the plan was changed back is not sent.
    expect(patchOf(stored, { ...capped, plan: "free" })).toEqual({
      plan: "free",
      overage_cap_neurons: null,
    });
  });

  it("is how long responses are kept, and what scores comments in other languages", () => {
    const patch = patchOf(before, {
      ...before,
      response_retention_s: "0",
      perspective_fallback: "judge",
    });
    expect(patch).toEqual({ response_retention_s: 0, perspective_fallback: "judge" });
    expect(v.is(SettingsPatchInput, patch)).toBe(true);
    const stored = fieldsOf({ ...TENANT, response_retention_s: 60, perspective_fallback: "judge" });
    expect(stored).toMatchObject({ response_retention_s: "60", perspective_fallback: "judge" });
  });

  it("keeps apart no model at all and every model", () => {
    const none = { ...before, all_models: false, models: "" };
    expect(patchOf(before, none)).toEqual({ models: [] });
    expect(patchOf(none, before)).toEqual({ models: null });
    const listed = fieldsOf({ ...TENANT, models: [] });
    expect(listed.all_models).toBe(false);
  });

  it("is what was typed where that is no number, for the server to say so", () => {
    const patch = patchOf(before, { ...before, daily_neurons: "many", max_in_flight: "" });
    expect(patch).toEqual({ daily_neurons: "many", max_in_flight: "" });
    expect(v.is(SettingsPatchInput, patch)).toBe(false);
  });
});

describe("what is shown before it is saved", () => {
  it("names each change", () => {
    const patch = { daily_neurons: 50, overage_cap_neurons: null, rpm: { text_generation: null } };
    expect(changesOf(patch, { ...TENANT, overage_cap_neurons: 5 })).toEqual([
      { name: "daily_neurons", before: "100", after: "50" },
      { name: "overage_cap_neurons", before: "5", after: "none" },
      { name: "rpm.text_generation", before: "60", after: "default" },
    ]);
  });

  it.each([
    ["a limit below what is posted", { daily_neurons: "60" }, /60 neurons are at or above the new/],
    ["a suspension", { suspended: true }, /every call with a key of this tenant is refused/],
    [
      "the paid plan without a cap",
      { plan: "paid" as const, overage_unlimited: true },
      /beyond 100 neurons a day are admitted without/,
    ],
    [
      "the paid plan with a cap",
      { plan: "paid" as const, overage_cap_neurons: "5" },
      /admitted up to 5 more, at \$0\.011 per 1,000/,
    ],
    ["more reserved than a day has", { reserved_neurons: "101" }, /nobody can use the rest/],
    [
      "a rate below the last minute",
      { rpm: { requests: "20" } },
      /50 requests calls were admitted/,
    ],
    ["a shorter retention", { verdict_retention_days: "3" }, /Verdicts .* deleted for good/],
    ["one of responses", { response_retention_s: "60" }, /Responses .* deleted for good/],
  ])("warns of %s", (_, change, said) => {
    const found = effects(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(said);
  });

  it("warns of nothing where nothing happens", () => {
    expect(effects({})).toEqual([]);
    expect(effects({ daily_neurons: "61" })).toEqual([]);
    expect(effects({ daily_neurons: "10" }, null)).toEqual([]);
  });

  it("counts grants and the cap into the new limit", () => {
    const grants = [{ id: "grt_1", remaining_micro_neurons: 5_000_000, expires_at: "" }];
    expect(effects({ daily_neurons: "56" }, { ...LIMITS, grants })).toEqual([]);
    expect(effects({ daily_neurons: "55" }, { ...LIMITS, grants })).toHaveLength(1);
  });

  it("says what it means to lift a cap", () => {
    const paid = { ...TENANT, plan: "paid" as const, overage_cap_neurons: 5 };
    const [said] = effectsOf({ ...fieldsOf(paid), overage_unlimited: true }, paid, LIMITS);
    expect(said).toMatch(/admitted without a limit/);
  });

  it("says what the free plan ends", () => {
    const paid = { ...TENANT, plan: "paid" as const };
    const [said] = effectsOf({ ...fieldsOf(paid), plan: "free" }, paid, LIMITS);
    expect(said).toMatch(/become a hard stop/);
  });
});
