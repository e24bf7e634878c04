import { describe, expect, it } from "vitest";
import { type LinePage, linesFrom, ndjson } from "../../src/http/ndjson.ts";

const pagesOf = ([lines = [], ...rest]: readonly (readonly unknown[])[]): LinePage => ({
  lines,
  next: rest.length === 0 ? null : async () => pagesOf(rest),
});

describe("lines of several pages", () => {
  it("come whole, also where pages are empty", async () => {
    const pages = [[], [{ a: 1 }, { a: 2 }], [], [], [{ a: 3 }], []];
    const text = await ndjson(pagesOf(pages)).text();
    expect(text).toBe('{"a":1}\n{"a":2}\n{"a":3}\n');
    expect(await ndjson(pagesOf([[], []])).text()).toBe("");
  });

  it("end with an error where a page cannot be read", async () => {
    const cut: LinePage = {
      lines: [{ a: 1 }],
      next: async () => {
        throw new Error("gone");
      },
    };
    await expect(ndjson(cut).text()).rejects.toThrow("gone");
  });
});

describe("the lines of a list that is read by places", () => {
  const rows = ["a", "b", "c", "d", "e"];
  const read = async (place: number) => {
    if (place < 0 || place >= rows.length) return { kind: "unavailable" } as const;
    const end = place + 2;
    return { lines: rows.slice(place, end), next: end < rows.length ? end : null };
  };
  const streamed = (next: number | null) =>
    ndjson(linesFrom({ lines: ["first"], next }, read)).text();

  it("go on at the place that each page names", async () => {
    expect(await streamed(0)).toBe('"first"\n"a"\n"b"\n"c"\n"d"\n"e"\n');
    expect(await streamed(3)).toBe('"first"\n"d"\n"e"\n');
  });

  it("end with the page that names none", async () => {
    expect(await streamed(null)).toBe('"first"\n');
  });

  it("end with an error where a page fails", async () => {
    await expect(streamed(-1)).rejects.toThrow("could not be read further");
  });
});
