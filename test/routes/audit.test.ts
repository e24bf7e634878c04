import { describe, expect, it } from "vitest";
import { mountsOf } from "../../src/http/mount.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { actOf, isAct } from "../audited.ts";

// Every route of the platform that changes something names its act. (That it records it, once it is
// done, is held for every request that a test sends with the admin token: see client.ts.)

const SOURCES = Object.values(
  import.meta.glob<string>("../../src/routes/*.ts", {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);

const ACTS = mountsOf(ROUTES).filter(isAct).map(actOf);

describe("the acts of the platform", () => {
  it.each(ACTS)("%s has a name in the audit log", (act) => {
    const recording = SOURCES.filter((source) => /\b(?:recordAct|newEntry)\(/.test(source));
    expect(recording.some((source) => source.includes(`"${act}"`))).toBe(true);
  });

  it("are many", () => {
    expect(ACTS.length).toBeGreaterThan(20);
  });
});
