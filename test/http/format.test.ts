import { describe, expect, it } from "vitest";
import { type Format, formatOf } from "../../src/http/format.ts";

const ALL: readonly Format[] = ["json", "html", "csv", "ndjson"];
const accepting = (accept: string | null): Request =>
  new Request("https://gateway.test", { headers: accept === null ? {} : { Accept: accept } });

describe("the form of a report", () => {
  it.each<[string | null, Format]>([
    [null, "json"],
    ["*/*", "json"],
    ["", "json"],
    ["application/json", "json"],
    ["application/*", "json"],
    ["text/csv", "csv"],
    ["Text/CSV; charset=utf-8", "csv"],
    ["application/x-ndjson", "ndjson"],
    // As a browser asks.
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"],
    ["application/json;q=0.5, text/csv", "csv"],
    ["text/csv;q=0, application/x-ndjson;q=0.1", "ndjson"],
    ["image/png", "json"],
    ["image/png, text/csv;q=0.1", "csv"],
    ["text/csv;q=nonsense", "json"],
  ])("with Accept %j is %s", (accept, expected) => {
    expect(formatOf(accepting(accept), undefined, ALL)).toBe(expected);
  });

  it("is what the query says, whatever the headers say", () => {
    expect(formatOf(accepting("text/html"), "csv", ALL)).toBe("csv");
    expect(formatOf(accepting("text/csv"), "json", ALL)).toBe("json");
  });

  it("is none that there is not", () => {
    expect(formatOf(accepting("text/html"), undefined, ["json", "csv"])).toBe("json");
  });

  it("reads no more of a header than one can have", () => {
    expect(formatOf(accepting(`${"a/b,".repeat(1000)}text/csv`), undefined, ALL)).toBe("json");
  });
});
