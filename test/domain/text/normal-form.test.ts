import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalForm } from "../../../src/domain/text/normal-form.ts";
import { cpuMsOf } from "../cpu-ms.ts";

const utf8 = (text: string): number => new TextEncoder().encode(text).length;
const mark = fc.constantFrom("\u0301", "\u0316", "\u0345", "\u0f71", "\u3099", "\uff9e", "\uff9f");
const anyText = fc
  .array(fc.oneof(fc.string({ unit: "binary" }), fc.array(mark, { maxLength: 90 })), {
    maxLength: 6,
  })
  .map((parts) => parts.flat().join(""));

const sorted = (form: string): string =>
  form.replaceAll("\u034f", "").split("").toSorted().join("");

describe("normalForm", () => {
  it("is the plain form where no letter has more than 30 marks", () => {
    const few = "e" + "\u0301\u0316".repeat(15);
    for (const text of [few, "ﬁ Ａ é ｶﾞ ㌀ \ufdfa 각", "", "\ud800"]) {
      expect(normalForm(text, "NFKC")).toBe(text.normalize("NFKC"));
      expect(normalForm(text, "NFKD")).toBe(text.normalize("NFKD"));
    }
  });

  it("breaks a longer run with a joiner, and changes nothing else", () => {
    expect(normalForm("e" + "\u0316".repeat(31), "NFKD")).toBe(
      `e${"\u0316".repeat(30)}\u034f\u0316`,
    );
    fc.assert(
      fc.property(anyText, (text) => {
        const normal = normalForm(text, "NFKD");
        expect(sorted(normal)).toBe(sorted(text.normalize("NFKD")));
        expect(normal).toBe(normal.normalize("NFKD"));
        expect(utf8(normalForm(text, "NFKC"))).toBeGreaterThanOrEqual(utf8(text.normalize("NFKC")));
      }),
    );
  });

  // The plain form takes seconds: it sorts a run in the square of its length.
  it.each([
    ["two kinds of marks", "\u0301".repeat(50_000) + "\u0316".repeat(50_000)],
    ["in turns", "\u0301\u0316".repeat(50_000)],
    ["half-width sound marks", "\uff9e\u0316".repeat(50_000)],
    ["compatibility marks", "\uff9e".repeat(50_000) + "\u0301".repeat(50_000)],
    ["marks that decompose", "\u0344\u0316".repeat(50_000)],
    ["marks beyond the first plane", "\u{1d165}\u0316".repeat(50_000)],
  ])("is linear: %s", async (_, run) => {
    const cpuMs = await cpuMsOf(() => {
      normalForm(`a${run}`, "NFKD");
      normalForm(`a${run}`, "NFKC");
    });
    expect(cpuMs).toBeLessThan(1000);
  });
});
