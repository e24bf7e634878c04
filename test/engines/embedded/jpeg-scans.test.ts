import { describe, expect, it } from "vitest";
import { isWholeJpeg } from "../../../src/engines/embedded/jpeg-scans.ts";
import { joined } from "../../audio/recordings.ts";

/** Markers alone: a frame of one component, scans of a byte, and an end. */
const jpeg = (side: number, scans: number): Uint8Array =>
  joined(
    [0xff, 0xd8, 0xff, 0xc2, 0, 11, 8, side >> 8, side & 255, side >> 8, side & 255, 1, 1, 0x11, 0],
    ...Array.from({ length: scans }, () => [0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 0]),
    [0xff, 0xd9],
  );

describe("the scans of a JPEG", () => {
  it.each([
    ["ten of the largest picture", 4000, 10, true],
    ["too many of the largest picture", 4000, 17, false],
    ["many of a small one", 400, 100, true],
    ["too many of any", 8, 101, false],
    ["none", 400, 0, false],
  ])("are bounded by what each costs: %s", (_, side, scans, whole) => {
    expect(isWholeJpeg(jpeg(side, scans))).toBe(whole);
  });
});
