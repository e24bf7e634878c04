import { describe, expect, it } from "vitest";
import { momentOf, purgeTime } from "../../durable-objects/tenant/feature.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIDNIGHT = Date.UTC(2036, 10, 21);

describe("a tenant's moment", () => {
  it("is the same always, and spread over the hour", () => {
    const ids = Array.from({ length: 6000 }, (_, at) => `tenant-${at}`);
    const moments = ids.map(momentOf);
    expect(moments).toEqual(ids.map(momentOf));
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...moments)).toBeLessThan(HOUR_MS);
    const minutes = Array.from({ length: 60 }, () => 0);
    for (const moment of moments) {
      const minute = Math.floor(moment / 60_000);
      minutes[minute] = (minutes[minute] ?? 0) + 1;
    }
    // A hundred in each, if it were exact.
    expect(Math.min(...minutes)).toBeGreaterThan(60);
    expect(Math.max(...minutes)).toBeLessThan(150);
  });
});

describe("the time of a purge", () => {
  it("is the first of the tenant's moments at which something is due", () => {
    const id = "acme";
    const moment = MIDNIGHT + momentOf(id);
    expect(purgeTime(id, moment)).toBe(moment);
    expect(purgeTime(id, moment - 1)).toBe(moment);
    expect(purgeTime(id, moment + 1)).toBe(moment + DAY_MS);
    expect(purgeTime(id, MIDNIGHT)).toBe(moment);
    expect(purgeTime(id, MIDNIGHT - 5 * HOUR_MS)).toBe(moment);
  });
});
