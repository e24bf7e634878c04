import { describe, expect, it } from "vitest";
import { takeByteArrays } from "../../src/http/byte-arrays.ts";
import { jsonShape, MAX_STRINGS, MAX_VALUES } from "../../src/http/json-shape.ts";
import { parseJson } from "../../src/http/read-body.ts";
import { countingBytes } from "./counting-bytes.ts";

const TOO_MANY = `must not hold more than ${MAX_VALUES} values`;

const bodies: [string, string][] = [
  ["quotes and nothing else", `{${'"'.repeat(8_000_000)}`],
  ["empty names", `{${'"":'.repeat(2_000_000)}`],
  ["strings apart", `["a" ${'"b" '.repeat(2_000_000)}`],
  ["escaped quotes as names", `{${'"\\"" '.repeat(1_500_000)}`],
];

describe("a body of strings", () => {
  it.each(bodies)("is refused once there are too many: %s", (_, body) => {
    const bytes = new TextEncoder().encode(body);
    expect(parseJson(bytes)).toMatchObject({ errors: [{ detail: TOO_MANY }] });
  });

  it.each(bodies)("is looked at no further, whatever its size: %s", (_, body) => {
    for (const read of [jsonShape, (all: Uint8Array) => takeByteArrays(all, ["image"])]) {
      const { bytes, steps } = countingBytes(new TextEncoder().encode(body));
      read(bytes);
      expect(steps()).toBeLessThan(20 * MAX_STRINGS);
    }
  });

  it("is right with as many names and strings as values may be", () => {
    const body = `{${Array.from({ length: MAX_VALUES - 2 }, () => '"a":"b"').join()}}`;
    expect(parseJson(new TextEncoder().encode(body)).kind).toBe("json");
  });
});
