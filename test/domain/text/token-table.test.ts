import { describe, expect, it } from "vitest";
import { hasKnownTokens, TokenTable } from "../../../src/domain/text/token-table.ts";

/** A table of these tokens, as the file has them. */
function fileOf(tokens: readonly (readonly number[])[]): ArrayBuffer {
  const lengths = tokens.map(({ length }) => length);
  return Uint8Array.of(tokens.length, 0, 0, 0, ...lengths, ...tokens.flat()).buffer;
}

const FOX = [...new TextEncoder().encode("🦊")];
const TOKENS = [[0x61], [0x20, 0x62], FOX.slice(0, 2), FOX.slice(2)];

describe("a table of tokens", () => {
  const table = TokenTable.read(fileOf(TOKENS));
  if (table === null) throw new Error("the table cannot be read");

  it("gives the text of ids, also of a character in two tokens", () => {
    expect(table.decode([0, 1, 2, 3, 0], 100)).toEqual({ kind: "text", text: "a b🦊a", bytes: 8 });
    expect(table.decode([0, 2], 100)).toMatchObject({ kind: "text", text: "a\uFFFD" });
  });

  it("names an id that it does not have", () => {
    for (const id of [4, 4_294_967_295]) {
      expect(table.decode([0, id], 100)).toEqual({ kind: "unknown_token", index: 1 });
    }
  });

  it("makes no text that is longer than allowed", () => {
    expect(table.decode([1, 1], 4)).toMatchObject({ text: " b b" });
    expect(table.decode([1, 1], 3)).toEqual({ kind: "too_long" });
  });

  it("is not read from a file that is cut, or too long", () => {
    const file = fileOf(TOKENS);
    for (const wrong of [file.slice(0, 3), file.slice(0, 6), file.slice(0, -1)]) {
      expect(TokenTable.read(wrong)).toBeNull();
    }
    const longer = new Uint8Array(file.byteLength + 1);
    longer.set(new Uint8Array(file));
    expect(TokenTable.read(longer.buffer)).toBeNull();
  });
});

describe("names of OpenAI's models", () => {
  it.each([
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
    "gpt-3.5-turbo-instruct",
    "gpt-35-turbo",
    "gpt-4",
    "gpt-4-0613",
    "ft:gpt-3.5-turbo:org::id",
    "davinci-002",
  ])("%s says which vocabulary its ids are of", (name) => expect(hasKnownTokens(name)).toBe(true));

  it.each([
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "gpt-5",
    "text-davinci-003",
    "text-embedding-3-small-x",
    "my-text-embedding-3-small",
    "@cf/baai/bge-m3",
  ])("%s does not", (name) => expect(hasKnownTokens(name)).toBe(false));
});
