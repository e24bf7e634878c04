import { describe, expect, it } from "vitest";
import { digitsOf, exactNumber } from "../../src/io/exact-json.ts";
import { utf8 } from "../../src/http/call-labels.ts";

const LONG = "9223372036854775807";
const found = (json: string) => digitsOf(utf8(json), "seed");

describe("the digits of a number", () => {
  const many = `[${Array.from({ length: 5000 }, () => '{"seed":1}').join(",")}]`;
  it.each<[string, string]>([
    ["alone", `{"seed":${LONG}}`],
    ["behind others inside", `{"a":${many},"seed":${LONG}}`],
    ["before others inside", `{"seed":${LONG},"a":${many}}`],
    ["the last of two", `{"seed":1,"seed":${LONG}}`],
  ])("are those at the top: %s", (_, json) => {
    expect(found(json)).toBe(LONG);
  });

  it.each(["{}", '{"a":{"seed":1}}', '{"seed":"1"}', '{"seed":{"seed":1}}', "null", "[1]"])(
    "are not there: %s",
    (json) => {
      expect(found(json)).toBeNull();
    },
  );

  it("are written as they are", () => {
    expect(JSON.stringify({ seed: exactNumber(LONG) })).toBe(`{"seed":${LONG}}`);
  });
});
