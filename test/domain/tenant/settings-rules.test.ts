import { describe, expect, it } from "vitest";
import { type Settings, withDefaults } from "../../../src/domain/tenant/settings.ts";
import { MOST_NAMES, settingsErrors } from "../../../src/domain/tenant/settings-rules.ts";

const FREE = withDefaults({ plan: "free", daily_neurons: 10 });
const PAID: Settings = { ...FREE, plan: "paid", overage_cap_neurons: 0 };

const wrong = (settings: Settings) => settingsErrors(settings).map(({ path }) => path.join("."));
const named = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`name-${at}`, "auto"]));

describe("settings as a whole", () => {
  it.each<[string, Settings, readonly string[]]>([
    ["free", FREE, []],
    ["a hard stop on the paid plan", PAID, []],
    ["unlimited, spelled out", { ...PAID, overage_cap_neurons: "unlimited" }, []],
    ["no cap on the paid plan", { ...PAID, overage_cap_neurons: null }, ["overage_cap_neurons"]],
    ["a cap on the free plan", { ...FREE, overage_cap_neurons: 0 }, ["overage_cap_neurons"]],
    ["as many names as there may be", { ...FREE, aliases: named(MOST_NAMES) }, []],
    ["one more alias", { ...FREE, aliases: named(MOST_NAMES + 1) }, ["aliases"]],
    [
      "one more fallback",
      {
        ...FREE,
        fallbacks: Object.fromEntries(Object.keys(named(MOST_NAMES + 1)).map((name) => [name, []])),
      },
      ["fallbacks"],
    ],
  ])("%s", (_, settings, expected) => {
    expect(wrong(settings)).toEqual(expected);
  });
});
