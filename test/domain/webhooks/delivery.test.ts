import { describe, expect, it } from "vitest";
import {
  isDown,
  isOutage,
  nextTryMs,
  pauseUntilMs,
  type EndpointHealth,
  standingAfter,
  WELL,
} from "../../../src/domain/webhooks/delivery.ts";

const NOW = Date.UTC(2036, 10, 20, 14, 3, 27);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The times of all tries of a delivery that never succeeds, from the first. */
function tries(random: () => number, lateMs = 0): number[] {
  const times = [0];
  for (;;) {
    const next = nextTryMs(
      { firstMs: NOW, made: times.length },
      NOW + (times.at(-1) ?? 0),
      random(),
    );
    if (next === null) return times;
    times.push(next - NOW + lateMs);
  }
}

describe("the schedule", () => {
  it("is 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: 75 h 35 min in all", () => {
    const times = tries(() => 0);
    const gaps = times.map((at, index) => at - (times[index - 1] ?? 0));
    const hours = [2, 5, 10, 14, 20, 24].map((n) => n * HOUR);
    expect(gaps).toEqual([0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, ...hours]);
    expect(times.at(-1)).toBe(75 * HOUR + 35 * MINUTE + 5 * SECOND);
  });

  it("comes at most a tenth of a delay later, and does not drift", () => {
    const exact = tries(() => 0);
    const late = tries(() => 0.999_999);
    expect(late).toHaveLength(10);
    for (const [at, time] of exact.entries()) {
      const delay = time - (exact[at - 1] ?? 0);
      expect(late[at]).toBeGreaterThanOrEqual(time);
      expect(late[at]).toBeLessThanOrEqual(time + delay / 10);
    }
  });

  it("loses no try to one beside it, and skips what it is too late for", () => {
    expect(nextTryMs({ firstMs: NOW, made: 3 }, NOW + 10 * MINUTE, 0)).toBe(
      NOW + 35 * MINUTE + 5 * SECOND,
    );
    expect(nextTryMs({ firstMs: NOW, made: 3 }, NOW + 11 * MINUTE, 0)).toBe(
      NOW + 35 * MINUTE + 5 * SECOND,
    );
    expect(nextTryMs({ firstMs: NOW, made: 3 }, NOW + 100 * HOUR, 0)).toBeNull();
  });
});

/** How an endpoint stands that answered so to the first tries of these events. */
const after = (events: readonly string[], status: number): EndpointHealth =>
  events.reduce((standing, eventId, at) => {
    const atMs = NOW + at;
    const attempt = { atMs, status, error: "http_status", latencyMs: 1, reply: null } as const;
    const tried = { eventId, firstTryAtMs: atMs, attempt, notBeforeMs: null };
    return standingAfter(standing, tried, atMs);
  }, WELL);

describe("an outage", () => {
  it.each([
    [null, "timeout", true],
    [500, "http_status", true],
    [429, "http_status", true],
    [400, "http_status", false],
    [410, "http_status", false],
    [302, "redirect", false],
    [400, "aborted", false],
    [null, "object_gone", false],
    [200, null, false],
  ] as const)("is status %s with error %s: %s", (status, error, expected) => {
    expect(isOutage({ status, error })).toBe(expected);
  });

  it("is three events in a row that are not taken, or one where order matters", () => {
    expect(isDown(after(["a", "b"], 500), { ordered: false })).toBe(false);
    expect(isDown(after(["a", "a", "a"], 500), { ordered: false })).toBe(false);
    expect(isDown(after(["a", "b", "c"], 500), { ordered: false })).toBe(true);
    expect(isDown(after(["a"], 500), { ordered: true })).toBe(true);
  });

  it("is not made by events that are refused for themselves", () => {
    expect(isDown(after(["a", "b", "c", "d"], 400), { ordered: false })).toBe(false);
  });
});

describe("Retry-After", () => {
  it.each([
    [429, "120", NOW + 2 * MINUTE],
    [503, " 7 ", NOW + 7 * SECOND],
    [503, new Date(NOW + MINUTE).toUTCString(), NOW + MINUTE],
    [429, "999999999", NOW + HOUR],
    [429, new Date(NOW + 90 * HOUR).toUTCString(), NOW + HOUR],
    [429, "0", null],
    [429, "soon", null],
    [429, "-5", null],
    [429, new Date(NOW - MINUTE).toUTCString(), null],
    [429, null, null],
    [500, "120", null],
    [200, "120", null],
  ])("of a %i that says %s", (status, header, expected) => {
    expect(pauseUntilMs(status, header, NOW)).toBe(expected);
  });
});
