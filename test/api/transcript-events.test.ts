import { describe, expect, it } from "vitest";
import { toTranscriptEvents } from "../../src/api/openai/transcript-events.ts";

// A transcript cut into the deltas of OpenAI's events.

const spoken = (text: string) => ({ start: 0, end: 1, text });
const UNTOLD = { temperature: null, avgLogprob: null, compressionRatio: null, noSpeechProb: null };

type Made = Parameters<typeof toTranscriptEvents>[1];

const MADE = {
  engineInput: { length: { countedMs: 1500, atMostMs: 1550 } },
  item: { model: "whisper", pricedAs: "whisper", engine: "openai", units: {}, basis: "counted" },
  requestId: "req_1",
} as unknown as Made;

function deltas(text: string, segments: readonly string[], words: readonly string[] = []) {
  const output = {
    text,
    language: null,
    segments: segments.map((each) => ({ ...spoken(each), ...UNTOLD })),
    words: words.map(spoken),
  };
  const events = toTranscriptEvents(output, MADE).split("\n\n");
  expect(events.splice(-2)).toEqual(["data: [DONE]", ""]);
  const read = events.map((event) => JSON.parse(event.slice("data: ".length)));
  const done = read.pop();
  expect(done).toMatchObject({
    type: "transcript.text.done",
    text,
    usage: { type: "duration", seconds: 2 },
    neurogate: { request_id: "req_1" },
  });
  expect(read.every(({ type }) => type === "transcript.text.delta")).toBe(true);
  return read.map(({ delta }) => delta as string);
}

describe("the deltas of a transcript", () => {
  it.each<[string, string[], string[], string[]]>([
    ["are its segments", ["One two.", " Three."], [], ["One two.", " Three. Four"]],
    [
      "keep the text's own space",
      ["  One two.  ", "Three. Four"],
      [],
      ["One two.", " Three. Four"],
    ],
    [
      "are its words in lines where there are no segments",
      [],
      ["One", "two."],
      ["One two. Three. Four"],
    ],
    ["are one where there are neither", [], [], ["One two. Three. Four"]],
    ["leave out empty segments", ["", "One two.", " "], [], ["One two. Three. Four"]],
    [
      "end where a segment is not in the text",
      ["One two.", "3.", "Four"],
      [],
      ["One two. Three. Four"],
    ],
    ["are one where no segment is in the text", ["1 2"], [], ["One two. Three. Four"]],
    ["never go back", ["Three.", "One"], [], ["One two. Three. Four"]],
  ])("%s", (_, segments, words, expected) => {
    const text = "One two. Three. Four";
    const found = deltas(text, segments, words);
    expect(found).toEqual(expected);
    expect(found.join("")).toBe(text);
  });

  it("are none where nothing was said", () => expect(deltas("", [" "])).toEqual([]));

  it("keep what would end an event", () => {
    const text = "One\n\ndata: [DONE]\n\nTwo";
    expect(deltas(text, ["One", "Two"]).join("")).toBe(text);
  });
});
