import { describe, expect, it } from "vitest";
import { piecesOf } from "../../console/src/marked-text.ts";

describe("a marked text", () => {
  it.each([
    [[], "one two three"],
    [[{ start: 4, end: 7 }], "one [two] three"],
    [
      [
        { start: 8, end: 13 },
        { start: 0, end: 3 },
      ],
      "[one] two [three]",
    ],
    [
      [
        { start: 0, end: 7 },
        { start: 4, end: 13 },
      ],
      "[one two][ three]",
    ],
    [[{ start: 8, end: 99 }], "one two [three]"],
    [[{ start: 20, end: 30 }], "one two three"],
    [[{ start: 5, end: 5 }], "one two three"],
  ])("%j", (spans, expected) => {
    const pieces = piecesOf("one two three", spans);
    expect(pieces.map(({ text, marked }) => (marked ? `[${text}]` : text)).join("")).toBe(expected);
    expect(pieces.map(({ text }) => text).join("")).toBe("one two three");
  });
});
