import { afterEach, describe, expect, it } from "vitest";
import type { EventObject } from "../../../src/domain/webhooks/event-object.ts";
import { changeWebhook, replayDelivery } from "../../../durable-objects/outbox/webhooks.ts";
import { EVENT_TYPES } from "../../../src/domain/webhooks/event.ts";
import { cleanUp } from "../a-tenant.ts";
import {
  type Answer,
  type Endpoint,
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

// Each message has a schedule of its own, and each endpoint is on its own: no bad event, and no bad
// receiver, holds up what is not its own.

afterEach(cleanUp);

const REJECTED: Answer = { status: 400, error: "http_status" };
const BROKEN: Answer = { status: 500, error: "http_status" };
const HUNG: Answer = { afterMs: 15 * SECOND, status: null, error: "timeout" };

const isPoisoned = ({ data }: EventObject): boolean => String(data["id"]).startsWith("poison");

/** Takes everything but what is poisoned. */
const but =
  (answer: Answer): Endpoint =>
  (event) =>
    isPoisoned(event) ? answer : {};

const gaps = (attempts: readonly Seen[]): number[] =>
  attempts.map(({ atMs }, at) => atMs - (attempts[at - 1]?.atMs ?? atMs));

const transact = <Result>(world: World, work: () => Result): Result => world.db.transaction(work);

/** 300 events, of which every third is poisoned, or the first hundred. */
function mixed(world: World, isInARow: boolean): { poisoned: Set<string>; good: Set<string> } {
  const poisoned = new Set<string>();
  const good = new Set<string>();
  for (let n = 0; n < 300; n += 1) {
    const isBad = isInARow ? n < 100 : n % 3 === 0;
    const id = world.happen("moderation.verdict", `${isBad ? "poison" : "verdict"} ${n}`);
    (isBad ? poisoned : good).add(id);
  }
  return { poisoned, good };
}

describe("an event that a receiver cannot take", () => {
  for (const [name, answer] of Object.entries({ rejects: REJECTED, breaks: BROKEN })) {
    for (const isInARow of [true, false]) {
      const where = isInARow ? "in a row" : "among others";
      it(`is its own trouble: it ${name}, a hundred ${where}`, () =>
        inWorld(async (world) => {
          const webhook = world.add(but(answer));
          const { poisoned, good } = mixed(world, isInARow);
          await world.pass(20 * SECOND);
          expect(new Set(world.acceptedBy(webhook))).toEqual(good);
          await world.pass(6 * MINUTE - 20 * SECOND);
          const tries = Map.groupBy(world.attemptsAt(webhook), ({ eventId }) => eventId);
          for (const id of poisoned) expect(tries.get(id)?.length).toBeLessThanOrEqual(3);
          for (const id of good) expect(tries.get(id)).toHaveLength(1);
        }));
    }
  }

  it("does not make the endpoint down when it is tried again, with others of its kind", () =>
    inWorld(async (world) => {
      const webhook = world.add(but(BROKEN));
      mixed(world, false);
      await world.pass(6 * MINUTE);
      expect(world.of(webhook)).toMatchObject({ outage: [] });
      expect(world.of(webhook).failingSinceMs).not.toBeNull();
      const good = world.happen("moderation.verdict", "verdict");
      await world.pass(SECOND);
      expect(world.acceptedBy(webhook).at(-1)).toBe(good);
    }));

  it("and was released with a recovery is not tried again in its first half hour", () =>
    inWorld(async (world) => {
      const webhook = world.add(but(BROKEN));
      for (let n = 0; n < 3; n += 1) world.happen("moderation.verdict", `poison ${n}`);
      await world.pass(20 * SECOND);
      world.happen("moderation.verdict", "verdict");
      await world.pass(MINUTE);
      const before = world.attemptsAt(webhook).length;
      await world.pass(20 * MINUTE);
      expect(world.attemptsAt(webhook)).toHaveLength(before);
      await world.pass(20 * MINUTE);
      expect(world.attemptsAt(webhook)).toHaveLength(before + 3);
    }));

  it("is tried three times in its first half hour, by its schedule", () =>
    inWorld(async (world) => {
      const webhook = world.add(but(REJECTED));
      const { poisoned } = mixed(world, false);
      await world.pass(30 * MINUTE);
      const tries = Map.groupBy(world.attemptsAt(webhook), ({ eventId }) => eventId);
      for (const id of poisoned) {
        const [, second = 0, third = 0, ...more] = gaps(tries.get(id) ?? []);
        expect(more).toEqual([]);
        expect(second).toBeGreaterThanOrEqual(5 * SECOND);
        expect(second).toBeLessThan(10 * SECOND);
        expect(third).toBeGreaterThan(4.9 * MINUTE);
        expect(third).toBeLessThan(5.2 * MINUTE);
      }
    }));

  it("and makes it hang keeps no other one waiting", () =>
    inWorld(async (world) => {
      const webhook = world.add(but(HUNG));
      world.happen("moderation.verdict", "verdict first");
      await world.pass(SECOND);
      world.happen("moderation.verdict", "poison");
      const good = Array.from({ length: 200 }, (_, n) =>
        world.happen("moderation.verdict", `verdict ${n}`),
      );
      await world.pass(5 * SECOND);
      expect(new Set(world.acceptedBy(webhook).slice(1))).toEqual(new Set(good));
    }));

  it("leaves most of the places to new ones when many of its kind are due", () =>
    inWorld(async (world) => {
      world.mostAMinute = 100;
      const webhook = world.add(but(REJECTED));
      for (let n = 0; n < 400; n += 1) world.happen("moderation.verdict", `poison ${n}`);
      await world.pass(10 * MINUTE);
      const from = world.seen.length;
      const recorded = new Map<string, number>();
      for (let n = 0; n < 60; n += 1) {
        recorded.set(world.happen("moderation.verdict", `verdict ${n}`), world.nowMs);
        // oxlint-disable-next-line no-await-in-loop -- one a second
        await world.pass(SECOND);
      }
      const late = world.seen
        .slice(from)
        .filter(({ error }) => error === null)
        .map(({ eventId, atMs }) => atMs - (recorded.get(eventId) ?? 0));
      expect(late).toHaveLength(60);
      expect(Math.max(...late)).toBeLessThan(2 * SECOND);
      const old = world.seen.slice(from).filter(({ error }) => error !== null);
      expect(old.length).toBeGreaterThan(10);
      expect(old.length).toBeLessThanOrEqual(41);
      expect(world.attemptsAt(webhook).length).toBeGreaterThan(400);
    }));

  it("and asks for time gets it alone", () =>
    inWorld(async (world) => {
      const webhook = world.add((event) =>
        isPoisoned(event) ? { ...REJECTED, status: 503, notBeforeMs: START + HOUR } : {},
      );
      const poison = world.happen("moderation.verdict", "poison");
      const good = [1, 2, 3].map((n) => world.happen("moderation.verdict", `verdict ${n}`));
      await world.pass(7 * SECOND);
      expect(new Set(world.acceptedBy(webhook))).toEqual(new Set(good));
      const delivery = world.outbox.deliveries.of(webhook, poison);
      expect(delivery?.nextTryAtMs).toBe(START + HOUR);
    }));

  it("is told of when it is given up, once, and not of itself", () =>
    inWorld(async (world) => {
      const webhook = world.add(failing, { events: [...EVENT_TYPES] });
      const other = world.add(ok, { events: ["message.attempt.exhausted"] });
      const event = world.happen("moderation.verdict", "poison");
      await world.pass(76 * HOUR);
      const told = world.outbox.events
        .listAfter("", 10)
        .filter(({ type }) => type === "message.attempt.exhausted");
      expect(told.map(({ data }) => data)).toMatchObject([
        {
          object: "delivery",
          webhook_id: webhook.id,
          event_id: event,
          event_type: "moderation.verdict",
          object_id: "poison",
          state: "failed",
          attempt_count: 10,
          next_attempt_at: null,
        },
      ]);
      expect(world.acceptedBy(other)).toHaveLength(1);
      await world.pass(80 * HOUR);
      expect(world.count("events")).toBe(3);
    }));
});

describe("an endpoint that is down", () => {
  it.each([
    ["breaks", BROKEN],
    ["hangs", HUNG],
  ])("and %s is asked at least once a minute, and has all soon after it is back", (_, answer) =>
    inWorld(async (world) => {
      let isUp = false;
      const webhook = world.add(() => (isUp ? {} : answer));
      const events = [1, 2, 3, 4].map(() => world.happen());
      await world.pass(2 * HOUR);
      expect(world.of(webhook).outage).toHaveLength(3);
      expect(Math.max(...gaps(world.attemptsAt(webhook)))).toBeLessThanOrEqual(MINUTE);
      isUp = true;
      await world.pass(MINUTE + 10 * SECOND);
      expect(new Set(world.acceptedBy(webhook))).toEqual(new Set(events));
      expect(world.of(webhook)).toMatchObject({ outage: [], failingSinceMs: null });
    }),
  );

  it("is not one that only rejects, however many", () =>
    inWorld(async (world) => {
      const webhook = world.add(() => REJECTED);
      for (let n = 0; n < 50; n += 1) world.happen();
      await world.pass(MINUTE);
      expect(world.of(webhook)).toMatchObject({ outage: [], failingSinceMs: START + 100 });
      expect(world.attemptsAt(webhook)).toHaveLength(100);
    }));

  it("holds up no other: a retry comes in its time, though the alarm waits", () =>
    inWorld(async (world) => {
      let isUp = false;
      world.add(hanging, { events: ["quota.exceeded"] });
      const other = world.add(() => (isUp ? {} : REJECTED), { events: ["moderation.review"] });
      world.happen("quota.exceeded");
      world.happen("moderation.review");
      await world.pass(SECOND);
      isUp = true;
      await world.pass(5 * SECOND);
      expect(gaps(world.attemptsAt(other))).toEqual([0, 5 * SECOND]);
    }));

  it("holds up no other, be they eight, and six connections", () =>
    inWorld(async (world) => {
      for (let n = 0; n < 8; n += 1) world.add(hanging, { events: ["quota.exceeded"] });
      const known = world.add(ok, { events: ["moderation.review"] });
      world.happen("moderation.review");
      await world.pass(SECOND);
      for (let n = 0; n < 20; n += 1) world.happen("quota.exceeded");
      await world.pass(SECOND);
      const events = Array.from({ length: 100 }, () => world.happen("moderation.review"));
      await world.pass(3 * SECOND);
      expect(world.acceptedBy(known).slice(1).toSorted()).toEqual(events);
      expect(world.mostInFlight).toBeLessThanOrEqual(6);
    }));
});

describe("a wait that an endpoint asked for", () => {
  const untilMs = START + HOUR;
  const limited: Answer = { status: 429, error: "http_status", notBeforeMs: untilMs };

  /** An endpoint in the middle of its wait, which is well by now. */
  async function waiting(world: World) {
    let isUp = false;
    const webhook = world.add(() => (isUp ? {} : limited));
    const events = Array.from({ length: 5 }, () => world.happen());
    await world.pass(10 * MINUTE);
    expect(world.of(webhook).notBeforeMs).toBe(untilMs);
    const before = world.attemptsAt(webhook).length;
    isUp = true;
    await world.pass(10 * MINUTE);
    expect(world.attemptsAt(webhook)).toHaveLength(before);
    return { webhook, events };
  }

  it("ends with a new URL", () =>
    inWorld(async (world) => {
      const { webhook, events } = await waiting(world);
      const url = "https://receiver-new.dev/";
      world.endpoints.set(url, ok);
      transact(world, () => changeWebhook(world.outbox, webhook.id, { url }, world.nowMs));
      await world.pass(5 * SECOND);
      expect(new Set(world.acceptedBy({ ...webhook, url }))).toEqual(new Set(events));
    }));

  it("ends with the owner's word", () =>
    inWorld(async (world) => {
      const { webhook, events } = await waiting(world);
      const change = { enabled: true };
      transact(world, () => changeWebhook(world.outbox, webhook.id, change, world.nowMs));
      await world.pass(5 * SECOND);
      expect(new Set(world.acceptedBy(webhook))).toEqual(new Set(events));
    }));

  it("ends with a replay that is accepted, and not with one that is not", () =>
    inWorld(async (world) => {
      const { webhook, events } = await waiting(world);
      const [delivery] = world.outbox.deliveries.listPending(webhook.id, 1);
      world.endpoints.set(webhook.url, () => ({ ...limited, notBeforeMs: untilMs }));
      const before = world.attemptsAt(webhook).length;
      transact(world, () => replayDelivery(world.outbox, delivery?.id ?? "", world.nowMs));
      await world.pass(MINUTE);
      expect(world.attemptsAt(webhook)).toHaveLength(before + 1);
      expect(world.of(webhook).notBeforeMs).toBe(untilMs);
      world.endpoints.set(webhook.url, ok);
      transact(world, () => replayDelivery(world.outbox, delivery?.id ?? "", world.nowMs));
      await world.pass(5 * SECOND);
      expect(new Set(world.acceptedBy(webhook))).toEqual(new Set(events));
    }));
});

describe("an endpoint that wants its events in order", () => {
  it("gets them one at a time, and none goes past one that failed", () =>
    inWorld(async (world) => {
      let isUp = false;
      const webhook = world.add(
        (event) => (event.data["id"] === "poison" && !isUp ? REJECTED : { afterMs: 100 }),
        { ordered: true },
      );
      const ids = ["a", "b", "poison", "c", "d"].map((id) =>
        world.happen("moderation.verdict", id),
      );
      await world.pass(2 * MINUTE);
      expect(world.mostInFlight).toBe(1);
      expect(world.acceptedBy(webhook)).toEqual(ids.slice(0, 2));
      expect(world.attemptsAt(webhook)).toHaveLength(4);
      isUp = true;
      await world.pass(4 * MINUTE);
      expect(world.acceptedBy(webhook)).toEqual(ids);
    }));

  it("and was down goes on within a minute", () =>
    inWorld(async (world) => {
      let isUp = false;
      const webhook = world.add(() => (isUp ? {} : BROKEN), { ordered: true });
      const ids = [1, 2, 3].map(() => world.happen());
      await world.pass(HOUR);
      expect(new Set(world.attemptsAt(webhook).map(({ eventId }) => eventId))).toEqual(
        new Set(ids.slice(0, 1)),
      );
      isUp = true;
      await world.pass(MINUTE);
      expect(world.acceptedBy(webhook)).toEqual(ids);
    }));
});

describe("a receiver that answers", () => {
  it("abort-message is not asked again, and is not held to be failing", () =>
    inWorld(async (world) => {
      const answer: Answer = { status: 422, error: "aborted", control: "abort-message" };
      const webhook = world.add(() => answer, { events: [...EVENT_TYPES] });
      const event = world.happen();
      await world.pass(HOUR);
      const { attempts } = world.outbox.deliveries.of(webhook, event) ?? {};
      expect(attempts).toHaveLength(1);
      // That it was given up is told, and that this was given up is not.
      expect(world.attemptsAt(webhook)).toHaveLength(2);
      expect(world.count("events")).toBe(2);
      expect(world.outbox.deliveries.of(webhook, event)).toMatchObject({
        state: "failed",
        nextTryAtMs: null,
      });
      expect(world.of(webhook)).toMatchObject({ enabled: true, failingSinceMs: null });
    }));

  it("disable is disabled, also with what it accepted", () =>
    inWorld(async (world) => {
      const webhook = world.add(() => ({ status: 204, control: "disable" }));
      const event = world.happen();
      await world.pass(SECOND);
      world.happen();
      await world.pass(HOUR);
      expect(world.of(webhook)).toMatchObject({ enabled: false, disabledReason: "receiver" });
      expect(world.acceptedBy(webhook)).toEqual([event]);
    }));
});

describe("crashes among all that", () => {
  it("repeat no try of an endpoint that rejects: it is written down before it is made", () =>
    inWorld(async (world) => {
      const webhook = world.add((event) => ({ ...(isPoisoned(event) && REJECTED), afterMs: 300 }));
      const { good, poisoned } = mixed(world, false);
      await world.pass(3 * SECOND);
      for (let crash = 0; crash < 5; crash += 1) {
        world.restart();
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await world.pass(1100);
      }
      await world.pass(6 * MINUTE);
      const tries = Map.groupBy(world.attemptsAt(webhook), ({ eventId }) => eventId);
      for (const id of poisoned) expect(tries.get(id)?.length).toBeLessThanOrEqual(3);
      expect(new Set(world.acceptedBy(webhook))).toEqual(good);
    }));

  it("lose no event, and make nobody wait", { timeout: 180_000 }, () =>
    inWorld(async (world) => {
      const poisonedAt = world.add(but(REJECTED));
      world.add(hanging);
      const healthy = world.add(ok);
      const { good, poisoned } = mixed(world, true);
      for (let crash = 0; crash < 2; crash += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await world.pass(700);
        world.restart();
      }
      await world.pass(20 * SECOND);
      expect(new Set(world.acceptedBy(healthy))).toEqual(new Set([...good, ...poisoned]));
      expect(new Set(world.acceptedBy(poisonedAt))).toEqual(good);
      await world.pass(5 * MINUTE);
      expect(world.errors).toEqual([]);
    }),
  );
});
