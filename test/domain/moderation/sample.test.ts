import { expect, it } from "vitest";
import { isSampled } from "../../../src/domain/moderation/review.ts";
import { itemIds } from "../../../src/batches/item-ids.ts";

const BATCH = "bat_01KDTESTTESTTESTTESTTEST00";

/** As the items of one batch are called. */
const ids = Array.from({ length: 4000 }, (_none, at) => itemIds(BATCH, "01KDTEST00", at).verdictId);

it("draws about the share, also within one batch, by the id alone", () => {
  const drawn = ids.filter((id) => isSampled(id, 0.1));
  expect(drawn.length).toBeGreaterThan(330);
  expect(drawn.length).toBeLessThan(470);
  expect(ids.filter((id) => isSampled(id, 0.1))).toEqual(drawn);
});

it("draws nothing and all at the ends", () => {
  expect(ids.some((id) => isSampled(id, 0))).toBe(false);
  expect(ids.every((id) => isSampled(id, 1))).toBe(true);
});
