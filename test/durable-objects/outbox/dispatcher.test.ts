import { afterEach, describe, expect, it } from "vitest";
import { cleanUp } from "../a-tenant.ts";
import {
  failing,
  hanging,
  HOUR,
  inWorld,
  MINUTE,
  ok,
  SECOND,
  type Seen,
  START,
  type World,
} from "./a-dispatcher.ts";

afterEach(cleanUp);

const DAY = 24 * HOUR;

const gaps = (attempts: readonly Seen[]): number[] =>
  attempts.map(({ atMs }, at) => atMs - (attempts[at - 1]?.atMs ?? atMs));

/** Is down until then. */
const downUntil = (world: World, atMs: number) => () =>
  world.nowMs < atMs ? { status: 500, error: "http_status" as const } : {};

describe("an endpoint that is well", () => {
  it("gets every event once, within a moment of what happened", () =>
    inWorld(async (world) => {
      const webhook = world.add(ok);
      const events = Array.from({ length: 100 }, () => world.happen());
      await world.pass(5 * SECOND);
      expect(world.acceptedBy(webhook).toSorted()).toEqual(events);
      expect(world.mostInFlight).toBe(3);
      expect(world.count("deliveries")).toBe(100);
      expect(world.of(webhook).cursor).toBe(events.at(-1));
      expect(world.dispatcher.nextDueMs()).toBeNull();
    }));

  it("gets what happens while it is delivered to, without waiting for an alarm", () =>
    inWorld(async (world) => {
      const one = world.add(ok, { events: ["moderation.review"] });
      world.add(hanging, { events: ["moderation.review", "verdict_batch.completed"] });
      world.happen("verdict_batch.completed");
      await world.pass(SECOND);
      const atMs = world.nowMs;
      world.happen("moderation.review");
      await world.pass(SECOND);
      expect(world.attemptsAt(one).map((attempt) => attempt.atMs)).toEqual([atMs]);
    }));

  it("is told nothing that it did not ask for, and that takes no row", () =>
    inWorld(async (world) => {
      const one = world.add(ok, { events: ["verdict_batch.completed"] });
      world.add(ok, { events: ["moderation.review"] });
      for (let n = 0; n < 450; n += 1) world.happen("moderation.review");
      await world.pass(MINUTE);
      expect(world.attemptsAt(one)).toEqual([]);
      const event = world.happen("verdict_batch.completed");
      await world.pass(MINUTE);
      expect(world.acceptedBy(one)).toEqual([event]);
      expect(world.count("deliveries")).toBe(451);
    }));

  it("that is slow shares three connections with the others that are", () =>
    inWorld(async (world) => {
      for (let n = 0; n < 5; n += 1) world.add(() => ({ afterMs: 10 * SECOND }));
      const quick = world.add(ok);
      for (let n = 0; n < 20; n += 1) world.happen();
      await world.pass(30 * SECOND);
      const before = world.attemptsAt(quick).length;
      const atMs = world.nowMs;
      for (let n = 0; n < 20; n += 1) world.happen();
      await world.pass(3 * SECOND);
      const after = world.attemptsAt(quick).slice(before);
      expect(after).toHaveLength(20);
      expect((after.at(-1)?.atMs ?? 0) - atMs).toBeLessThan(2 * SECOND);
      expect(world.mostInFlight).toBeLessThanOrEqual(6);
    }));
});

describe("an endpoint that fails", () => {
  it("is tried on the schedule, and then left for a replay", () =>
    inWorld(async (world) => {
      const webhook = world.add(failing);
      world.happen();
      await world.pass(80 * HOUR);
      const hours = [2, 5, 10, 14, 20, 24].map((n) => n * HOUR);
      const expected = [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, ...hours];
      expect(gaps(world.attemptsAt(webhook))).toEqual(expected);
      const { deliveries } = world.outbox.deliveries.list({
        webhookId: webhook.id,
        before: null,
        state: "failed",
        limit: 10,
      });
      expect(deliveries.map(({ attempts, nextTryAtMs }) => [attempts.length, nextTryAtMs])).toEqual(
        [[10, null]],
      );
    }));

  it("is disabled after five days, and the others are told", () =>
    inWorld(async (world) => {
      const webhook = world.add(failing);
      const other = world.add(ok, { events: ["webhook.disabled"] });
      world.happen();
      await world.pass(5 * DAY - SECOND);
      expect(world.of(webhook).enabled).toBe(true);
      expect(world.seen.filter(({ url }) => url === webhook.url)).toHaveLength(10);
      await world.pass(2 * SECOND);
      expect(world.of(webhook)).toMatchObject({ enabled: false, disabledReason: "failing" });
      expect(world.acceptedBy(other)).toHaveLength(1);
      await world.pass(10 * DAY);
      expect(world.attemptsAt(webhook)).toHaveLength(10);
      expect(world.dispatcher.nextDueMs()).toBeNull();
    }));

  it("with one success in between has another five days", () =>
    inWorld(async (world) => {
      let isUp = false;
      const webhook = world.add((event, n) => (isUp ? {} : failing(event, n)));
      world.happen();
      await world.pass(4 * DAY);
      isUp = true;
      world.happen();
      await world.pass(MINUTE);
      isUp = false;
      world.happen();
      await world.pass(4 * DAY);
      expect(world.of(webhook).enabled).toBe(true);
      await world.pass(DAY + MINUTE);
      expect(world.of(webhook).enabled).toBe(false);
    }));

  it("is asked one thing at a time, and a bounded number waits", () =>
    inWorld(async (world) => {
      const webhook = world.add(failing);
      for (let n = 0; n < 500; n += 1) world.happen();
      // It was well until its first answer came, and so were two asked at once.
      await world.pass(150);
      world.mostInFlight = 0;
      await world.pass(20 * HOUR);
      expect(world.mostInFlight).toBe(1);
      // What probes it beside those takes no row.
      expect(world.count("deliveries")).toBe(100);
      const scheduled = [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR];
      const byEvent = Map.groupBy(world.attemptsAt(webhook), ({ eventId }) => eventId);
      const tries = [...byEvent].filter(([id]) => world.outbox.deliveries.of(webhook, id) !== null);
      expect(tries).toHaveLength(100);
      for (const [, attempts] of tries) {
        expect(attempts).toHaveLength(7);
        for (const [at, gap] of gaps(attempts).entries()) {
          expect(gap).toBeGreaterThan((scheduled[at] ?? 0) - 10 * SECOND);
          expect(gap).toBeLessThan((scheduled[at] ?? 0) + 20 * SECOND);
        }
      }
    }));

  it("gets all that waited at once when it is well again, the oldest first", () =>
    inWorld(async (world) => {
      const upAtMs = START + 3 * HOUR;
      const webhook = world.add(downUntil(world, upAtMs));
      const events = Array.from({ length: 300 }, () => world.happen());
      await world.pass(2 * HOUR);
      expect(world.acceptedBy(webhook)).toEqual([]);
      const { deliveries } = world.outbox;
      const retried = new Set(events.filter((id) => deliveries.of(webhook, id) !== null));
      await world.pass(HOUR + 2 * MINUTE);
      const accepted = world.acceptedBy(webhook);
      expect(new Set(accepted)).toEqual(new Set(events));
      const times = world.attemptsAt(webhook).filter(({ error }) => error === null);
      const recoveredMs = times[0]?.atMs ?? 0;
      expect((times.at(-1)?.atMs ?? 0) - recoveredMs).toBeLessThan(10 * SECOND);
      // What is new has most of the places; of each kind the oldest goes first.
      for (const isOld of [true, false]) {
        const alike = accepted.slice(1).filter((id) => retried.has(id) === isOld);
        expect(alike).toEqual(alike.toSorted());
      }
      expect(world.of(webhook).failingSinceMs).toBeNull();
    }));

  it("with one event only keeps to its own schedule, whatever the others do", () =>
    inWorld(async (world) => {
      const poison = world.outbox.events;
      const webhook = world.add((event, n) =>
        event.data["id"] === "poison" ? failing(event, n) : {},
      );
      world.happen("moderation.review", "poison");
      const eventId = poison.last();
      for (let n = 0; n < 600; n += 1) {
        // oxlint-disable-next-line no-await-in-loop -- an event a second
        await world.pass(SECOND);
        world.happen("moderation.review", `verdict ${n}`);
      }
      await world.pass(MINUTE);
      expect(new Set(world.acceptedBy(webhook)).size).toBe(600);
      const delivery = world.outbox.deliveries.of(webhook, eventId);
      expect(delivery?.state).toBe("pending");
      const tries = world.attemptsAt(webhook).filter((attempt) => attempt.eventId === eventId);
      expect(gaps(tries)).toEqual([0, 5 * SECOND, 5 * MINUTE]);
    }));

  it("by saying 410 is disabled at once", () =>
    inWorld(async (world) => {
      const webhook = world.add(() => ({ status: 410, error: "http_status" }));
      const other = world.add(ok, { events: ["webhook.disabled"] });
      for (let n = 0; n < 10; n += 1) world.happen();
      await world.pass(HOUR);
      expect(world.of(webhook)).toMatchObject({ enabled: false, disabledReason: "gone" });
      expect(world.attemptsAt(webhook).length).toBeLessThanOrEqual(2);
      expect(world.acceptedBy(other)).toHaveLength(1);
    }));

  it("and asks for time is given it, for all its deliveries", () =>
    inWorld(async (world) => {
      const endMs = START + 10 * MINUTE;
      const webhook = world.add(() =>
        world.nowMs < endMs ? { status: 429, error: "http_status", notBeforeMs: endMs } : {},
      );
      const events = [world.happen(), world.happen(), world.happen()];
      await world.pass(HOUR);
      const [first, second, ...later] = world.attemptsAt(webhook);
      expect((first?.atMs ?? 0) - START).toBeLessThan(SECOND);
      // One alone could be the message's own trouble: another one is asked after a pause.
      expect((second?.atMs ?? 0) - START).toBeLessThan(6 * SECOND);
      for (const { atMs } of later) expect(atMs).toBeGreaterThanOrEqual(endMs);
      expect(new Set(world.acceptedBy(webhook))).toEqual(new Set(events));
    }));
});

describe("what was recorded", () => {
  it("and is not stored any more is given up, without a word to the endpoint", () =>
    inWorld(async (world) => {
      const webhook = world.add(ok);
      const gone = world.happen("moderation.verdict", "gone");
      const kept = world.happen("moderation.verdict", "kept");
      await world.pass(MINUTE);
      expect(world.acceptedBy(webhook)).toEqual([kept]);
      expect(world.outbox.deliveries.of(webhook, gone)).toMatchObject({
        state: "failed",
        attempts: [{ error: "object_gone" }],
      });
      expect(world.of(webhook).failingSinceMs).toBeNull();
    }));

  it("is delivered after a crash, perhaps again and under the same id", () =>
    inWorld(async (world) => {
      const webhook = world.add(() => ({ afterMs: 200 }));
      const slow = world.add(() => ({ afterMs: SECOND }));
      const events = Array.from({ length: 200 }, () => world.happen());
      for (let n = 0; n < 20; n += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one life after the other
        await world.pass(3100);
        world.restart();
      }
      await world.pass(10 * MINUTE);
      for (const endpoint of [webhook, slow]) {
        expect(new Set(world.acceptedBy(endpoint))).toEqual(new Set(events));
      }
      expect(world.count("deliveries")).toBe(400);
    }));

  it("is not held against an endpoint when we may make no request", () =>
    inWorld(async (world) => {
      let isAllowed = false;
      const webhook = world.add(() => (isAllowed ? {} : { notMade: true as const }));
      const event = world.happen();
      await world.pass(10 * SECOND);
      expect(world.of(webhook).failingSinceMs).toBeNull();
      isAllowed = true;
      await world.pass(MINUTE);
      expect(world.acceptedBy(webhook)).toEqual([event]);
      expect(world.outbox.deliveries.of(webhook, event)?.attempts).toHaveLength(1);
    }));
});

describe("2,000 events to three endpoints", () => {
  it("reach every one, and none waits for another", { timeout: 180_000 }, () =>
    inWorld(async (world) => {
      const healthy = world.add(ok);
      const down = world.add(downUntil(world, START + HOUR));
      const hangs = world.add((event, n) =>
        world.nowMs < START + 2 * HOUR ? hanging(event, n) : {},
      );
      const recordedAt = new Map<string, number>();
      for (let n = 0; n < 2000; n += 1) {
        recordedAt.set(world.happen(), world.nowMs);
        // oxlint-disable-next-line no-await-in-loop -- ten a second
        await world.pass(100);
      }
      await world.pass(SECOND);
      const behind = world
        .attemptsAt(healthy)
        .map(({ eventId, atMs }) => atMs - (recordedAt.get(eventId) ?? 0));
      expect(behind).toHaveLength(2000);
      expect(Math.max(...behind)).toBeLessThan(3 * SECOND);
      expect(world.count("deliveries")).toBeLessThanOrEqual(2000 + 2 * 100);

      await world.pass(8 * HOUR);
      for (const webhook of [healthy, down, hangs]) {
        expect(new Set(world.acceptedBy(webhook))).toEqual(new Set(recordedAt.keys()));
      }
      const accepted = world.attemptsAt(down).filter(({ error }) => error === null);
      const caughtUpIn = (accepted.at(-1)?.atMs ?? 0) - (accepted[0]?.atMs ?? 0);
      // 600 a minute.
      expect(caughtUpIn).toBeLessThan(4 * MINUTE);
      expect(world.count("deliveries")).toBe(6000);
      expect(world.errors).toEqual([]);
    }),
  );
});

/** Never more in any window of 60 s than the limit. */
const mostInAMinute = (attempts: readonly Seen[]): number => {
  const times = attempts.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  return Math.max(
    0,
    ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE).length),
  );
};

const flood = (world: World, count: number): string[] =>
  Array.from({ length: count }, () => world.happen());

describe("a minute", () => {
  it("has 600 attempts to an endpoint; the rest waits, and goes out in order", () =>
    inWorld(async (world) => {
      const webhook = world.add(ok);
      const events = flood(world, 1500);
      await world.pass(MINUTE);
      expect(world.attemptsAt(webhook)).toHaveLength(600);
      await world.pass(3 * MINUTE);
      expect(mostInAMinute(world.attemptsAt(webhook))).toBe(600);
      expect(world.acceptedBy(webhook)).toEqual(events);
      expect(world.count("deliveries")).toBe(1500);
      expect(world.dispatcher.nextDueMs()).toBeNull();
    }));

  it("is each endpoint's own", () =>
    inWorld(async (world) => {
      const hooks = [
        world.add(ok),
        world.add(ok),
        world.add(ok, { events: ["verdict_batch.completed"] }),
      ];
      flood(world, 700);
      world.happen("verdict_batch.completed");
      await world.pass(50 * SECOND);
      expect(hooks.map((hook) => world.attemptsAt(hook).length)).toEqual([600, 600, 1]);
    }));

  it("is as long as the tenant's rate makes it", () =>
    inWorld(async (world) => {
      world.mostAMinute = 40;
      const webhook = world.add(ok);
      const events = flood(world, 100);
      await world.pass(10 * SECOND);
      expect(world.attemptsAt(webhook)).toHaveLength(40);
      // Raised in between: more go out at once.
      world.mostAMinute = 90;
      await world.pass(SECOND);
      expect(world.attemptsAt(webhook)).toHaveLength(90);
      await world.pass(2 * MINUTE);
      expect(world.acceptedBy(webhook)).toEqual(events);
    }));

  it("counts replays and repeats of what failed, too", () =>
    inWorld(async (world) => {
      world.mostAMinute = 40;
      const webhook = world.add(ok);
      flood(world, 40);
      await world.pass(2 * MINUTE);
      world.outbox.webhooks.write({
        ...world.of(webhook),
        replay: { after: "", before: "~", only: "all" },
      });
      flood(world, 10);
      await world.pass(5 * MINUTE);
      // The new ones, and all of them once more.
      expect(world.attemptsAt(webhook)).toHaveLength(100);
      expect(mostInAMinute(world.attemptsAt(webhook))).toBe(40);
    }));

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("is the same across crashes: %i", (times) =>
    inWorld(async (world) => {
      world.mostAMinute = 100;
      const webhook = world.add(() => ({ afterMs: 50 }));
      const events = flood(world, 400);
      for (let crash = 0; crash < times; crash += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await world.pass(1700);
        world.restart();
      }
      await world.pass(8 * MINUTE);
      // A crash forgets at most what was in flight while half of the minute was left.
      expect(mostInAMinute(world.attemptsAt(webhook))).toBeLessThanOrEqual(100 + 32);
      expect([...new Set(world.acceptedBy(webhook))].toSorted()).toEqual(events);
    }),
  );

  it("takes no row of its own until half of it is used, and then one a batch", () =>
    inWorld(async (world) => {
      const webhook = world.add(ok);
      const updates = (): number => world.ran("UPDATE webhooks SET sent");
      flood(world, 256);
      await world.pass(10 * SECOND);
      expect(world.attemptsAt(webhook)).toHaveLength(256);
      expect(updates()).toBe(0);
      flood(world, 256);
      await world.pass(10 * SECOND);
      expect(updates()).toBeGreaterThan(0);
      expect(updates()).toBeLessThanOrEqual(8);
    }));

  it("has no room for a try of an endpoint that had all of it", () =>
    inWorld(async (world) => {
      world.mostAMinute = 10;
      const webhook = world.add(ok);
      flood(world, 20);
      await world.pass(10 * SECOND);
      const task = {
        event: null,
        delivery: { eventId: "" } as never,
        from: "fresh",
        after: "",
      } as const;
      expect(await world.dispatcher.try(world.of(webhook), task)).toEqual({ kind: "not_made" });
      expect(world.attemptsAt(webhook)).toHaveLength(10);
    }));
});
