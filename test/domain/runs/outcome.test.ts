import { describe, expect, it } from "vitest";
import { meaningOf } from "../../../src/domain/runs/outcome.ts";

const NOW = Date.UTC(2036, 10, 20, 12);

describe("a refusal that ends by itself", () => {
  it.each([
    ["of a rate, until the call fits", { kind: "rate_limited", fitsAtMs: NOW + 40_000 }, 40_000],
    ["of leases, until some may be back", { kind: "quota_reserved", againAtMs: NOW + 8000 }, 8000],
    ["of pending holds, for a second", { kind: "quota_reserved" }, 1000],
    ["of calls in progress, for a second", { kind: "concurrency_exceeded" }, 1000],
    ["that ends at once, for a second", { kind: "rate_limited", fitsAtMs: NOW + 3 }, 1000],
  ])("is waited for: %s", (_name, failure, ms) => {
    expect(meaningOf({ ...failure, nowMs: NOW })).toEqual({ kind: "wait", ms });
  });
});
