import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Chunk,
  chunkText,
  MOST_CHUNK_BYTES,
  OVERLAP_BYTES,
} from "../../../src/domain/search/chunk-text.ts";
import { utf8Bytes } from "../../../src/domain/generation/token-bound.ts";

const shown = (text: string): string[] =>
  chunkText(text).map(({ start, end }) => text.slice(start, end));

/** About 100 bytes, and no other has its number. */
const sentence = (at: number): string =>
  `Sentence number ${at} says something about the matter, at some length, to ${"fill ".repeat(5)}it.`;

describe("chunkText", () => {
  it("keeps a short text whole, without the blanks around it", () => {
    expect(shown("  One sentence. Another one.\n")).toEqual(["One sentence. Another one."]);
  });

  it.each(["", " \n\t ", "--- *** ---"])("finds nothing to search for in %j", (text) => {
    expect(chunkText(text)).toEqual([]);
  });

  it("divides between sentences, and repeats the last ones", () => {
    const sentences = Array.from({ length: 30 }, (_, at) => sentence(at));
    const passages = shown(sentences.join(" "));
    expect(passages.length).toBeGreaterThan(2);
    for (const [at, passage] of passages.entries()) {
      const own = sentences.filter((one) => passage.includes(one));
      expect(own.join(" ")).toBe(passage);
      const before = passages[at - 1];
      if (before !== undefined) expect(before).toContain(own[0]);
    }
  });

  it("divides a sentence that is longer than a passage after a word", () => {
    const passages = shown(`${"longword ".repeat(500)}.`);
    expect(passages.length).toBeGreaterThan(3);
    for (const passage of passages) expect(passage).toMatch(/^(?:longword ?)+\.?$/);
  });

  it("counts bytes: three for each letter of Chinese", () => {
    const passages = shown("数据库很大。".repeat(400));
    expect(passages.length).toBeGreaterThan(5);
    for (const passage of passages) {
      expect(utf8Bytes(passage)).toBeLessThanOrEqual(MOST_CHUNK_BYTES);
    }
  });

  const words = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.lorem({ maxCount: 8, mode: "sentences" }) },
      { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
      { weight: 1, arbitrary: fc.constantFrom("\n\n", "\r\n", " ", "。", "😀😀", "\ud800", "é") },
      { weight: 1, arbitrary: fc.nat({ max: 3000 }).map((length) => "x".repeat(length)) },
      { weight: 1, arbitrary: fc.nat({ max: 900 }).map((length) => "😀".repeat(length)) },
    ),
    { maxLength: 60 },
  );

  it("loses no letter, divides no character, and only goes on", () => {
    fc.assert(
      fc.property(words, (parts) => {
        const text = parts.join(" ");
        const chunks = chunkText(text);
        let before: Chunk = { start: -1, end: 0 };
        for (const chunk of chunks) {
          const passage = text.slice(chunk.start, chunk.end);
          expect(utf8Bytes(passage)).toBeLessThanOrEqual(MOST_CHUNK_BYTES);
          expect(chunk.start).toBeGreaterThan(before.start);
          expect(chunk.end).toBeGreaterThan(before.end);
          const shared = text.slice(chunk.start, Math.max(chunk.start, before.end));
          expect(utf8Bytes(shared)).toBeLessThanOrEqual(OVERLAP_BYTES);
          expect(text.slice(before.end, chunk.start)).not.toMatch(/[\p{L}\p{N}]/u);
          if (text.isWellFormed()) expect(passage.isWellFormed()).toBe(true);
          before = chunk;
        }
        expect(text.slice(before.end)).not.toMatch(/[\p{L}\p{N}]/u);
      }),
      { numRuns: 300 },
    );
  });
});
