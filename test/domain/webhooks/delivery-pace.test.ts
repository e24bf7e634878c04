import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeSent,
  encodeSent,
  NONE_SENT,
  roomAtMs,
  roomFor,
  type Sent,
  withSent,
} from "../../../src/domain/webhooks/delivery-pace.ts";
import { deliveriesAMinute } from "../../../src/domain/webhooks/delivery.ts";

const START = Date.UTC(2036, 10, 20, 14);

describe("deliveries a minute", () => {
  it.each([
    [undefined, 600],
    [0, 600],
    [300, 600],
    [301, 602],
    [5000, 10_000],
  ])("of a tenant with %s requests: %i", (requests, expected) => {
    expect(deliveriesAMinute(requests)).toBe(expected);
  });
});

describe("what was sent", () => {
  it("is never more than the limit in any minute, and as much as there is room for", () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(20_000), wanted: fc.nat(40) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 50 }), (walk, limit) => {
        let sent: Sent = NONE_SENT;
        let nowMs = START;
        const made: number[] = [];
        for (const { waitMs, wanted } of walk) {
          nowMs += waitMs;
          const count = Math.min(wanted, roomFor(sent, limit, nowMs));
          for (let n = 0; n < count; n += 1) {
            sent = withSent(sent, 1, nowMs);
            made.push(nowMs);
          }
          const within = made.filter((at) => at > nowMs - 60_000).length;
          expect(within).toBeLessThanOrEqual(limit);
          // A tenth of a second late at most.
          const counted = made.filter((at) => at > nowMs - 60_100).length;
          expect(roomFor(sent, limit, nowMs)).toBeGreaterThanOrEqual(limit - counted);
          const atMs = roomAtMs(sent, limit, nowMs);
          expect(roomFor(sent, limit, atMs)).toBeGreaterThan(0);
          if (atMs > nowMs) expect(roomFor(sent, limit, atMs - 1)).toBe(0);
          expect(decodeSent(encodeSent(sent))).toEqual(sent);
        }
      }),
    );
  });

  it("takes a bounded room, however much is sent", () => {
    let sent: Sent = NONE_SENT;
    for (let ms = 0; ms < 200_000; ms += 20) sent = withSent(sent, 7, START + ms);
    expect(sent).toHaveLength(601);
    expect(encodeSent(sent).length).toBeLessThan(5000);
  });

  it("is not forgotten by a clock that goes back", () => {
    const sent = withSent(NONE_SENT, 5, START);
    const back = withSent(sent, 5, START - 3_600_000);
    expect(roomFor(back, 10, START - 3_600_000)).toBe(0);
    expect(roomFor(back, 10, START + 59_000)).toBe(0);
    expect(roomFor(back, 10, START + 61_000)).toBe(10);
  });
});
