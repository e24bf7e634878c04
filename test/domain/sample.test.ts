import { expect, it } from "vitest";
import { isSampled } from "../../src/domain/sample.ts";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Ids that are spread evenly over all that there are. */
const ids = Array.from({ length: 4000 }, (_none, at) => {
  let rest = at / 4000;
  let end = "";
  for (let digit = 0; digit < 8; digit += 1) {
    rest *= 32;
    end += DIGITS.charAt(Math.floor(rest));
    rest -= Math.floor(rest);
  }
  return `vrd_01KDTESTTESTTEST00${end}`;
});

it("draws the share, by the id alone", () => {
  const drawn = ids.filter((id) => isSampled(id, 0.1));
  expect(Math.abs(drawn.length - 400)).toBeLessThan(3);
  expect(ids.filter((id) => isSampled(id, 0.1))).toEqual(drawn);
});

it("draws nothing and all at the ends", () => {
  expect(ids.some((id) => isSampled(id, 0))).toBe(false);
  expect(ids.every((id) => isSampled(id, 1))).toBe(true);
});
