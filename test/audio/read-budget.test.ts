import { describe, expect, it } from "vitest";
import { PICTURES, SOUNDS } from "../../abuse/hostile-bodies.mjs";
import { audioFormat, audioLength } from "../../src/audio/audio-length.ts";
import { MAX_STEPS, newReadBudget } from "../../src/audio/read-budget.ts";
import { readPicture } from "../../src/engines/picture.ts";
import { box, mp4, opus, type Bytes, joined, mp3, sized, webm } from "./recordings.ts";

const LARGEST = 25 * 1024 * 1024;

/** One look more, that finds nothing left, may count a page of 255 packets. */
const spentOf = (bytes: Uint8Array): number => {
  const budget = newReadBudget();
  audioLength(bytes, budget);
  return MAX_STEPS - budget.steps;
};

describe("a recording of the largest size", () => {
  it.each(Object.keys(SOUNDS))("is left when it is long to read: %s", (kind) => {
    const bytes = SOUNDS[kind]?.(LARGEST) ?? new Uint8Array();
    expect(spentOf(bytes)).toBeLessThanOrEqual(MAX_STEPS + 256);
  });

  it.each([
    ["webm: a track in two bytes", 100],
    ["webm: clusters in each other", MAX_STEPS + 1],
    ["webm: blocks of the last of many tracks", 100],
    ["ogg: a stream a page", 600],
    ["mp3: sync bytes", MAX_STEPS + 1],
    ["flac: sync bytes", MAX_STEPS + 1],
  ])("has no length, and is left after so many steps: %s", (kind, steps) => {
    const bytes = SOUNDS[kind]?.(LARGEST) ?? new Uint8Array();
    expect(audioFormat(bytes)).toBe(kind.split(":")[0]?.replace("mp3", "mpeg"));
    expect(audioLength(bytes)).toBeNull();
    expect(spentOf(bytes)).toBeLessThanOrEqual(steps);
  });
});

/** Of a picture. */
const track = (at: number): Uint8Array => sized(0xae, sized(0xd7, at + 2), sized(0x83, 1));

/** A recording with so many tracks before its own. */
function withTracks(count: number): Bytes {
  const tracks = sized(0x1654ae6b, ...Array.from({ length: count }, (_, at) => track(at)));
  const bytes = webm();
  // Behind the segment's own header, which says no size.
  const at = bytes.findIndex((_, from) => bytes[from] === 0x15 && bytes[from + 1] === 0x49);
  return joined(bytes.subarray(0, at), tracks, bytes.subarray(at));
}

/** Ogg streams one after the other. */
const chained = (count: number): Bytes =>
  joined(...Array.from({ length: count }, (_, serial) => opus({ serial, packets: 1 })));

/** The same recording over and over, as chained streams and concatenated files are. */
const repeated = (bytes: Bytes, times: number): Bytes =>
  joined(...Array.from({ length: times }, () => bytes));

describe("what honest encoders write fits", () => {
  it("clusters of unknown size one after the other, however many", () => {
    const one = webm();
    const cluster = one.subarray(one.lastIndexOf(0x1f));
    expect(audioLength(joined(one, repeated(cluster.slice(), 40)))?.countedMs).toBe(
      1000 + 40 * 500,
    );
  });

  it("a few tracks, but not a hundred", () => {
    expect(audioLength(withTracks(20))?.countedMs).toBe(1000);
    expect(audioLength(withTracks(100))).toBeNull();
  });

  it.each([
    ["groups of WebM", webm(), (inner: Bytes) => sized(0xa0, inner)],
    ["boxes of MP4", mp4(), (inner: Bytes) => box("moof", inner)],
  ])("%s in each other, but not by the dozen", (_, recording, wrap) => {
    const nested = (depth: number): Bytes => (depth === 0 ? joined() : wrap(nested(depth - 1)));
    expect(audioLength(joined(recording, nested(8)))?.countedMs).toBeGreaterThan(0);
    expect(audioLength(joined(recording, nested(24)))).toBeNull();
  });

  it("streams of a radio that begin anew, but not by the thousand", () => {
    expect(audioLength(chained(200))?.countedMs).toBe(200 * 20);
    expect(audioLength(chained(1000))).toBeNull();
  });

  it("long fragments of MP4, and an hour of MP3 frames", () => {
    expect(audioLength(mp4({ frames: 16 * 2000, fragment: 16 }))?.countedMs).toBe(32_000 * 64);
    expect(audioLength(repeated(mp3(), 100))?.countedMs).toBeGreaterThan(90_000);
  });
});

describe("a picture of the largest size", () => {
  const MAX_PIXELS = 16_000_000;

  it.each(Object.keys(PICTURES))("is refused or says its size within the limit: %s", (kind) => {
    const picture = readPicture(PICTURES[kind]?.(4 * 1024 * 1024) ?? new Uint8Array());
    if ("kind" in picture) expect(["malformed", "too_many_pixels"]).toContain(picture.kind);
    else expect(picture.width * picture.height).toBeLessThanOrEqual(MAX_PIXELS);
  });
});
