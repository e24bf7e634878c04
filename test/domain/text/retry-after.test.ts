import { describe, expect, it } from "vitest";
import { retryAfterMs, retryAfterMsHeader } from "../../../src/domain/text/retry-after.ts";

const NOW = Date.UTC(2026, 10, 30, 12);

describe("Retry-After", () => {
  it.each([
    ["30", 30_000],
    [" 1.5 ", 1500],
    ["0.0001", 1],
    [new Date(NOW + 90_000).toUTCString(), 90_000],
    ["9".repeat(400), Infinity],
    [new Date(NOW).toUTCString(), null],
    [new Date(NOW - 90_000).toUTCString(), null],
    ["0", null],
    ["-30", null],
    ["NaN", null],
    ["Infinity", null],
    ["soon", null],
    ["", null],
    [null, null],
  ])("%s is %s ms", (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });

  it.each([
    ["1500", 1500],
    ["0.5", 1],
    ["9".repeat(400), Infinity],
    ["-1", null],
    ["0", null],
    ["NaN", null],
    [new Date(NOW + 90_000).toUTCString(), null],
    [null, null],
  ])("in milliseconds: %s is %s", (header, ms) => {
    expect(retryAfterMsHeader(header)).toBe(ms);
  });
});
