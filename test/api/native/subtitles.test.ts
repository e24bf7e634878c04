import { describe, expect, it } from "vitest";
import { linesOf, toSrt, toVtt } from "../../../src/api/native/subtitles.ts";

const word = (text: string, start: number, end: number) => ({ text, start, end });

describe("lines of words", () => {
  it("break at a pause, and after six seconds", () => {
    expect(
      linesOf([
        word(" One", 0, 1),
        word("two", 1.5, 2),
        word("three", 3.5, 4),
        word("four", 4, 9.5),
        word("five", 9.5, 9.6),
      ]),
    ).toEqual([
      { text: "One two", start: 0, end: 2 },
      { text: "three four", start: 3.5, end: 9.5 },
      { text: "five", start: 9.5, end: 9.6 },
    ]);
    expect(linesOf([])).toEqual([]);
  });
});

describe("subtitles", () => {
  const lines = [word(" Hello\n\nthere ", 0.0004, 1.5), word("a --> b & <c>", 3661.0996, 3662)];

  it("count in SubRip, with a comma", () => {
    expect(toSrt(lines)).toBe(
      "1\n00:00:00,000 --> 00:00:01,500\nHello there\n\n" +
        "2\n01:01:01,100 --> 01:01:02,000\na --> b & <c>\n",
    );
  });

  it("cannot break out of a cue of WebVTT", () => {
    expect(toVtt(lines)).toBe(
      "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello there\n\n" +
        "01:01:01.100 --> 01:01:02.000\na --&gt; b &amp; &lt;c&gt;\n",
    );
    expect(toVtt([])).toBe("WEBVTT\n\n");
  });
});
