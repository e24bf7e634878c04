import { describe, expect, it } from "vitest";
import { byteRange, namesEntity, rangeApplies } from "../../src/http/byte-range.ts";

const part = (offset: number, length: number) => ({ kind: "part", offset, length });

describe("byteRange of 100 bytes", () => {
  it.each([
    ["bytes=0-0", part(0, 1)],
    ["bytes=0-99", part(0, 100)],
    ["bytes=10-19", part(10, 10)],
    ["bytes=90-", part(90, 10)],
    ["bytes=90-1000000", part(90, 10)],
    ["bytes=-10", part(90, 10)],
    ["bytes=-1000", part(0, 100)],
    ["BYTES=0-1", part(0, 2)],
    ["bytes= 0 - 1", part(0, 2)],
    ["bytes=100-", { kind: "unsatisfiable" }],
    ["bytes=100-200", { kind: "unsatisfiable" }],
    ["bytes=-0", { kind: "unsatisfiable" }],
  ])("%s", (header, expected) => {
    expect(byteRange(header, 100)).toEqual(expected);
  });

  it.each([
    null,
    "",
    "bytes=",
    "bytes=-",
    "bytes=5-4",
    "bytes=0-1,5-6",
    "items=0-1",
    "bytes=a-b",
    "bytes=0x1-2",
  ])("%s is not heeded", (header) => {
    expect(byteRange(header, 100)).toEqual({ kind: "whole" });
  });

  it("asks nothing of an empty file", () => {
    expect(byteRange("bytes=0-", 0)).toEqual({ kind: "unsatisfiable" });
  });
});

describe("conditions", () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ["*", true],
    ['"b"', false],
    ["a", false],
    [null, false],
  ])("If-None-Match: %s", (header, expected) => {
    expect(namesEntity(header, '"a"')).toBe(expected);
  });

  it.each([
    [null, true],
    ['"a"', true],
    ['W/"a"', false],
    ["Wed, 25 Nov 2026 00:00:00 GMT", false],
  ])("If-Range: %s", (header, expected) => {
    expect(rangeApplies(header, '"a"')).toBe(expected);
  });
});
