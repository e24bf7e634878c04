import { describe, expect, it } from "vitest";
import { type Cell, csv, fileHeaders } from "../../src/http/csv.ts";

const cell = (value: Cell): string => csv(["c"], [[value]]).slice("c\r\n".length, -"\r\n".length);

describe("csv", () => {
  it("is a header and rows, each with CRLF", () => {
    expect(
      csv(
        ["a", "b"],
        [
          [1, "x"],
          [null, true],
        ],
      ),
    ).toBe("a,b\r\n1,x\r\n,true\r\n");
    expect(csv(["a"], [])).toBe("a\r\n");
  });

  it.each([
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    ["two\r\nlines", '"two\r\nlines"'],
    ["", ""],
    ["plain", "plain"],
    ["@cf/meta/llama", "'@cf/meta/llama"],
  ])("writes %j as %s", (value, expected) => {
    expect(cell(value)).toBe(expected);
  });

  it.each(["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "-", "--1", "-1e9"])(
    "makes no formula of %j",
    (value) => {
      expect(cell(value).replace(/^"/, "")).toMatch(/^'/);
    },
  );

  it("neutralises what begins with a line's end", () => {
    expect(cell("\r=1")).toBe(`"'\r=1"`);
    expect(cell("\n=1")).toBe(`"'\n=1"`);
  });

  it.each([-5, "-5", "-0.011", 0, 1.5])("leaves the number %j one", (value) => {
    expect(cell(value)).toBe(String(value));
  });
});

describe("fileHeaders", () => {
  it.each([
    ["usage-acme-2026-11-16.csv", "usage-acme-2026-11-16.csv"],
    ["costs-\0.csv", "costs--.csv"],
    ['costs-a"; x="b.csv', "costs-a-x-b.csv"],
    ["costs-a\r\nSet-Cookie: b.csv", "costs-a-Set-Cookie-b.csv"],
    ["costs-ü€😀.csv", "costs--.csv"],
    ["costs-../../etc.csv", "costs-..-..-etc.csv"],
  ])("names the file %j as %s", (name, safe) => {
    const headers = new Headers(fileHeaders("text/csv", name));
    expect(headers.get("content-disposition")).toBe(`attachment; filename="${safe}"`);
  });
});
