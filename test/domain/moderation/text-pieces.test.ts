import { describe, expect, it } from "vitest";
import { MOST_PIECES, piecesOf } from "../../../src/domain/moderation/text-window.ts";

describe("the sentences of a text", () => {
  it.each([
    ["One sentence.", []],
    ["One sentence. Another one! A third?", ["One sentence.", "Another one!", "A third?"]],
    ["a line of words\nanother line", ["a line of words", "another line"]],
    ["<p class='x'>tagged words</p>", ["tagged words"]],
    ['{"role":"user","content":"some words"}', ["role", "user", "content", "some words"]],
    ['const text = "some words";', ["const text", "some words"]],
    ["some_words_in_one", ["some words in one"]],
    ["some 🌸 words", ["some words"]],
    ["Again. Again. Again. And last.", ["Again.", "And last."]],
    ["", []],
  ])("%j", (text, pieces) => {
    expect(piecesOf(text)).toEqual(pieces);
  });

  it("are a bounded number, the first and the last of them", () => {
    const many = Array.from({ length: 500 }, (_, at) => `Sentence ${at}.`);
    const pieces = piecesOf(many.join(" "));
    expect(pieces).toHaveLength(MOST_PIECES);
    expect([pieces[0], pieces.at(-1)]).toEqual(["Sentence 0.", "Sentence 499."]);
  });

  it("leave what a person quotes and answers in one piece", () => {
    expect(piecesOf('He said "you idiot" to her, and that is not right')).toEqual([]);
  });
});
