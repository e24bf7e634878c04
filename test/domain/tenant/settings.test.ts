import { describe, expect, it } from "vitest";
import { limitOf } from "../../../src/domain/ledger/quota.ts";
import {
  DEFAULT_SETTINGS,
  patched,
  quotaTerms,
  rateLimitFor,
  type Settings,
  withDefaults,
  MOST_NAMES,
  settingsErrors,
} from "../../../src/domain/tenant/settings.ts";

const FREE = withDefaults({ plan: "free", daily_neurons: 10_000 });

describe("withDefaults", () => {
  it("gives the contract's defaults, field by field", () => {
    expect(FREE).toEqual({
      plan: "free",
      daily_neurons: 10_000,
      reserved_neurons: 0,
      overage_cap_neurons: null,
      monthly_cap_neurons: null,
      overage_usd_per_1000_neurons: "0.011",
      rpm: { requests: 300 },
      max_in_flight: 50,
      models: null,
      aliases: {},
      fallbacks: {},
      cache_ttl_s: 0,
      daily_images_per_user: 50,
      anonymous_images: "unlimited",
      content_retention_days: 0,
      perspective_fallback: "off",
      suggestion_retention_days: 0,
      verdict_retention_days: 30,
      event_retention_days: 30,
      response_retention_s: 86_400,
      default_max_tokens: 1024,
      compact_prompts: false,
      cache_max_temperature: 0,
      suspended: false,
    });
  });

  it("keeps what is given; a rate leaves the others at their defaults", () => {
    const given = withDefaults({
      plan: "paid",
      daily_neurons: 91.222,
      overage_cap_neurons: 0,
      models: [],
      rpm: { text_generation: 10 },
    });
    expect(given).toMatchObject({ plan: "paid", overage_cap_neurons: 0, models: [] });
    expect(given.rpm).toEqual({ requests: 300, text_generation: 10 });
  });
});

describe("patched", () => {
  const set: Settings = withDefaults({
    plan: "paid",
    daily_neurons: 5,
    overage_cap_neurons: 7,
    monthly_cap_neurons: 60,
    max_in_flight: 3,
    models: ["@cf/microsoft/resnet-50"],
    rpm: { requests: 20, text_generation: 10 },
    suspended: true,
  });

  it("changes nothing when it names nothing", () => {
    expect(patched(set, {})).toEqual(set);
  });

  it.each<[string, Parameters<typeof patched>[1], Partial<Settings>]>([
    ["a value", { max_in_flight: 9 }, { max_in_flight: 9 }],
    ["zero is a value", { overage_cap_neurons: 0 }, { overage_cap_neurons: 0 }],
    ["false is a value", { suspended: false }, { suspended: false }],
    ["an empty list is a value", { models: [] }, { models: [] }],
    ["null is the default", { max_in_flight: null }, { max_in_flight: 50 }],
    ["also where that is null", { monthly_cap_neurons: null }, { monthly_cap_neurons: null }],
    [
      "no cap, spelled out",
      { overage_cap_neurons: "unlimited" },
      { overage_cap_neurons: "unlimited" },
    ],
    ["all models", { models: null }, { models: null }],
    ["not suspended", { suspended: null }, { suspended: false }],
    [
      "the free plan, and the cap is gone",
      { plan: "free" },
      { plan: "free", overage_cap_neurons: null },
    ],
    ["the plan that it has, and the cap stays", { plan: "paid" }, { plan: "paid" }],
    [
      "a cap that goes with the free plan, for the rules to refuse",
      { plan: "free", overage_cap_neurons: 3 },
      { plan: "free", overage_cap_neurons: 3 },
    ],
    [
      "a rate, beside the others",
      { rpm: { translation: 5 } },
      { rpm: { requests: 20, text_generation: 10, translation: 5 } },
    ],
    ["a rate in place", { rpm: { requests: 21 } }, { rpm: { requests: 21, text_generation: 10 } }],
    ["a rate removed", { rpm: { text_generation: null } }, { rpm: { requests: 20 } }],
    [
      "a rate removed that has a default here",
      { rpm: { requests: null } },
      { rpm: { requests: 300, text_generation: 10 } },
    ],
    ["all rates removed", { rpm: null }, { rpm: { requests: 300 } }],
    [
      "an alias, beside the others",
      { aliases: { big: "b" } },
      { aliases: { ...set.aliases, big: "b" } },
    ],
    ["all aliases removed", { aliases: null }, { aliases: {} }],
    ["fallbacks", { fallbacks: { fast: ["a", "b"] } }, { fallbacks: { fast: ["a", "b"] } }],
  ])("%s", (_, patch, changed) => {
    expect(patched(set, patch)).toEqual({ ...set, ...changed });
  });

  it("removes one alias and keeps the rest", () => {
    const two = { ...set, aliases: { fast: "a", big: "b" } };
    expect(patched(two, { aliases: { fast: null } }).aliases).toEqual({ big: "b" });
  });

  it("leaves the defaults alone", () => {
    patched(set, { rpm: { requests: 1 }, max_in_flight: null });
    expect(DEFAULT_SETTINGS.rpm).toEqual({ requests: 300 });
  });
});

describe("rateLimitFor", () => {
  const settings = withDefaults({ plan: "free", daily_neurons: 1, rpm: { text_generation: 7 } });

  it.each([
    ["as set", "text_generation", 7],
    ["the default of the class", "text_classification", 2000],
    ["requests", "requests", 300],
    ["a model's own, as published", "@cf/moonshotai/kimi-k2.6", 20],
    ["of which nothing is known", "@cf/some/model", 42],
  ])("%s", (_, name, limit) => {
    expect(rateLimitFor(settings, name, 42)).toBe(limit);
  });
});

describe("quotaTerms", () => {
  it("is in µN", () => {
    const paid = { plan: "paid", daily_neurons: 91.222, overage_cap_neurons: 0.000001 } as const;
    expect(quotaTerms(withDefaults(paid))).toEqual({
      plan: "paid",
      daily: 91_222_000,
      overageCap: 1,
      overageUsdPer1000: "0.011",
    });
  });

  it("tells no cap from a cap of nothing", () => {
    expect(quotaTerms({ ...FREE, overage_cap_neurons: "unlimited" }).overageCap).toBe("unlimited");
    expect(quotaTerms({ ...FREE, overage_cap_neurons: 0 }).overageCap).toBe(0);
  });

  it("takes a cap that is not there for a hard stop, not for none", () => {
    const uncapped = { ...FREE, plan: "paid", overage_cap_neurons: null } as const;
    expect(limitOf(quotaTerms(uncapped))).toBe(10_000_000_000);
  });
});

const FREE_PLAN = withDefaults({ plan: "free", daily_neurons: 10 });
const PAID: Settings = { ...FREE_PLAN, plan: "paid", overage_cap_neurons: 0 };

const wrong = (settings: Settings) => settingsErrors(settings).map(({ path }) => path.join("."));
const named = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`name-${at}`, "auto"]));

describe("settings as a whole", () => {
  it.each<[string, Settings, readonly string[]]>([
    ["free", FREE_PLAN, []],
    ["a hard stop on the paid plan", PAID, []],
    ["unlimited, spelled out", { ...PAID, overage_cap_neurons: "unlimited" }, []],
    ["no cap on the paid plan", { ...PAID, overage_cap_neurons: null }, ["overage_cap_neurons"]],
    ["a cap on the free plan", { ...FREE_PLAN, overage_cap_neurons: 0 }, ["overage_cap_neurons"]],
    ["as many names as there may be", { ...FREE_PLAN, aliases: named(MOST_NAMES) }, []],
    ["one more alias", { ...FREE_PLAN, aliases: named(MOST_NAMES + 1) }, ["aliases"]],
    [
      "one more fallback",
      {
        ...FREE_PLAN,
        fallbacks: Object.fromEntries(Object.keys(named(MOST_NAMES + 1)).map((name) => [name, []])),
      },
      ["fallbacks"],
    ],
  ])("%s", (_, settings, expected) => {
    expect(wrong(settings)).toEqual(expected);
  });
});
