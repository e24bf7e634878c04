import { afterEach, expect, it, vi } from "vitest";
import { Places } from "../../src/io/places.ts";

const LIMITS = { most: 2, waitMs: 20, lookMs: 5, goneMs: 60_000 };

afterEach(() => vi.useRealTimers());

it("gives so many places at once, and each again when it was given back", async () => {
  const places = new Places(LIMITS);
  const first = await places.take();
  expect(await places.take()).not.toBeNull();
  expect(await places.take()).toBeNull();
  const waiting = places.take();
  first?.();
  first?.();
  expect(await waiting).not.toBeNull();
  expect(await places.take()).toBeNull();
});

it("counts a place that was never given back as free after a while", async () => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ["Date"] });
  const places = new Places({ ...LIMITS, most: 1 });
  await places.take();
  vi.setSystemTime(1_059_999);
  expect(await places.take()).toBeNull();
  vi.setSystemTime(1_060_000);
  expect(await places.take()).not.toBeNull();
});
