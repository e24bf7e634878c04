import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { TurnQueue } from "../../durable-objects/session/turn-queue.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const WAIT = 1000;

it("gives turns one after the other, in the order of arrival", async () => {
  const queue = new TurnQueue(8, WAIT);
  const done: number[] = [];
  let running = 0;
  const work = async (at: number): Promise<void> => {
    const place = queue.join();
    if (place === null) throw new Error("the line is full");
    expect(await place.turn).toBe(true);
    running += 1;
    expect(running).toBe(1);
    // Later ones take less time.
    for (let rest = 8 - at; rest > 0; rest -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- a while
      await Promise.resolve();
    }
    running -= 1;
    done.push(at);
    place.leave();
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(work));
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect([queue.length, vi.getTimerCount()]).toEqual([0, 0]);
});

it("is full with so many, and has room again when one leaves", () => {
  const queue = new TurnQueue(2, WAIT);
  const first = queue.join();
  expect(queue.join()).not.toBeNull();
  expect(queue.join()).toBeNull();
  first?.leave();
  first?.leave();
  expect(queue.length).toBe(1);
  expect(queue.join()).not.toBeNull();
});

it("lets nobody wait for longer than that, and keeps the order of the others", async () => {
  const queue = new TurnQueue(8, WAIT);
  const first = queue.join();
  const second = queue.join();
  vi.advanceTimersByTime(WAIT - 1);
  const third = queue.join();
  vi.advanceTimersByTime(1);
  expect(await second?.turn).toBe(false);
  expect(queue.length).toBe(2);
  second?.leave();
  first?.leave();
  expect(await third?.turn).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
