import { describe, expect, it } from "vitest";
import { type LinePage, ndjson } from "../../src/http/ndjson.ts";

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
