import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Settings, withDefaults } from "../../../src/domain/tenant/settings.ts";
import { type CurrentTenant, planState } from "../../../src/domain/tenant/state-plan.ts";

const FREE = withDefaults({ plan: "free", daily_neurons: 1000 });
const PAID = withDefaults({ plan: "paid", daily_neurons: 1000, overage_cap_neurons: 50 });

const current = (tenants: Readonly<Record<string, Settings>>): ReadonlyMap<string, CurrentTenant> =>
  new Map(Object.entries(tenants).map(([id, settings]) => [id, { settings, version: 3 }]));

const wanted = (tenants: Readonly<Record<string, Settings>>, prune = false) => ({
  tenants: new Map(Object.entries(tenants)),
  prune,
});

const limited = (rpm: Settings["rpm"], models: readonly string[]): Settings => ({
  ...FREE,
  rpm,
  models,
});

describe("planState", () => {
  it("makes what is not there, and says what is not as by default", () => {
    const [plan] = planState(current({}), wanted({ acme: PAID }));
    expect(plan).toEqual({
      tenant: "acme",
      action: "create",
      version: null,
      settings: PAID,
      changes: [
        { field: "daily_neurons", from: null, to: 1000 },
        { field: "overage_cap_neurons", from: null, to: 50 },
        { field: "plan", from: null, to: "paid" },
      ],
    });
  });

  it("changes what differs, field by field", () => {
    const [plan] = planState(current({ acme: FREE }), wanted({ acme: PAID }));
    expect(plan).toMatchObject({
      action: "update",
      version: 3,
      changes: [
        { field: "overage_cap_neurons", from: null, to: 50 },
        { field: "plan", from: "free", to: "paid" },
      ],
    });
  });

  it("leaves what is as it should be", () => {
    expect(planState(current({ acme: FREE }), wanted({ acme: FREE }))).toMatchObject([
      { action: "unchanged", changes: [] },
    ]);
  });

  it("sees no difference between 0 and -0, which is stored as 0", () => {
    const zero = { ...FREE, daily_neurons: 0 };
    const [plan] = planState(
      current({ acme: zero }),
      wanted({ acme: { ...zero, daily_neurons: -0 } }),
    );
    expect(plan).toMatchObject({ action: "unchanged", changes: [] });
  });

  it("sees no difference in the order of keys, but in that of a list", () => {
    const before = limited({ requests: 1, other: 2 }, ["a", "b"]);
    const same = limited({ other: 2, requests: 1 }, ["a", "b"]);
    const turned = limited({ other: 2, requests: 1 }, ["b", "a"]);
    expect(planState(current({ acme: before }), wanted({ acme: same }))).toMatchObject([
      { action: "unchanged" },
    ]);
    expect(planState(current({ acme: before }), wanted({ acme: turned }))).toMatchObject([
      { action: "update", changes: [{ field: "models", from: ["a", "b"], to: ["b", "a"] }] },
    ]);
  });

  it.each<[unknown, unknown]>([
    [{ requests: 1 }, { requests: 1, other: 2 }],
    [{ requests: 1, other: 2 }, { requests: 1 }],
    [{ requests: 1 }, { other: 1 }],
    [{ constructor: 1 }, { requests: 1 }],
  ])("tells %o from %o", (a, b) => {
    const before = { ...FREE, rpm: a } as Settings;
    const after = { ...FREE, rpm: b } as Settings;
    expect(planState(current({ acme: before }), wanted({ acme: after }))).toMatchObject([
      { action: "update", changes: [{ field: "rpm" }] },
    ]);
  });

  it("takes a field that an older tenant does not have for its default's absence", () => {
    const { compact_prompts: _, ...older } = FREE;
    const plans = planState(current({ acme: older as Settings }), wanted({ acme: FREE }));
    expect(plans).toMatchObject([
      { action: "update", changes: [{ field: "compact_prompts", from: null, to: false }] },
    ]);
  });

  it("leaves tenants that are not named alone", () => {
    expect(planState(current({ other: FREE }), wanted({}))).toEqual([]);
  });

  it("suspends them with prune, those that are not suspended yet", () => {
    const known = current({ acme: FREE, other: FREE, gone: { ...FREE, suspended: true } });
    expect(planState(known, wanted({ acme: FREE }, true))).toMatchObject([
      { tenant: "acme", action: "unchanged" },
      { tenant: "gone", action: "unchanged" },
      {
        tenant: "other",
        action: "suspend",
        changes: [{ field: "suspended", from: false, to: true }],
        settings: { ...FREE, suspended: true },
      },
    ]);
  });

  it("wakes a suspended tenant that is named again", () => {
    const known = current({ acme: { ...FREE, suspended: true } });
    expect(planState(known, wanted({ acme: FREE }))).toMatchObject([
      { action: "update", changes: [{ field: "suspended", from: true, to: false }] },
    ]);
  });
});

describe("any plan", () => {
  const settings = fc
    .record({
      plan: fc.constantFrom("free" as const, "paid" as const),
      daily_neurons: fc.integer({ min: 0, max: 5 }),
      rpm: fc.dictionary(fc.constantFrom("requests", "other"), fc.integer({ min: 1, max: 3 })),
      models: fc.option(fc.array(fc.constantFrom("a", "b"), { maxLength: 2 })),
      suspended: fc.boolean(),
    })
    .map((given) => withDefaults(given as Parameters<typeof withDefaults>[0]));
  const tenants = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "constructor"), settings);

  it("carried out, leaves nothing to do, and touches nothing that it must not", () => {
    fc.assert(
      fc.property(tenants, tenants, fc.boolean(), (before, document, prune) => {
        const known = current(before);
        const plans = planState(known, wanted(document, prune));
        const after = new Map(known);
        for (const { tenant, action, settings: next } of plans) {
          if (action !== "unchanged") after.set(tenant, { settings: next, version: 4 });
        }
        const again = planState(after, wanted(document, prune));
        expect(again.every(({ action }) => action === "unchanged")).toBe(true);
        for (const [id, one] of known) {
          expect(after.has(id)).toBe(true);
          if (Object.hasOwn(document, id)) continue;
          const left = prune ? { ...one.settings, suspended: true } : one.settings;
          expect(after.get(id)?.settings).toEqual(left);
        }
        for (const [id, one] of Object.entries(document)) {
          expect(after.get(id)?.settings).toEqual(one);
        }
      }),
      { numRuns: 500 },
    );
  });
});
