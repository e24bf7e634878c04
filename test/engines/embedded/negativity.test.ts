import { describe, expect, it } from "vitest";
import { ratingsOf, sentimentOf } from "../../../src/engines/embedded/negativity.ts";

const negativityOf = (text: string): number => ratingsOf(text).negative;

describe("negativity by word list", () => {
  it("is 0 where nothing negative stands", () => {
    for (const text of ["", "the train leaves at nine", "a wonderful, lovely day"]) {
      expect(negativityOf(text)).toBe(0);
    }
  });

  it("rises with negative words and falls with positive ones", () => {
    const bad = negativityOf("a terrible film");
    expect(bad).toBe(0.75);
    expect(negativityOf("a terrible, awful, disgusting film")).toBeGreaterThan(bad);
    expect(negativityOf("a terrible film with a wonderful cast")).toBeLessThan(bad);
  });

  it("finds a text without rated words neither negative nor positive", () => {
    expect(sentimentOf("The cat sat.")).toEqual({ negative: 0, positive: 0 });
    expect(sentimentOf("A wonderful film")).toEqual({ negative: 0, positive: 0.8 });
  });

  it("turns what is negated, by half", () => {
    expect(negativityOf("not a good film")).toBeGreaterThan(0.5);
    expect(negativityOf("not bad at all")).toBe(0);
    expect(negativityOf("never mind the bus, it is a good film")).toBe(0);
  });

  it("takes no word from the prototype of the list", () => {
    expect(negativityOf("constructor tostring valueof hasownproperty proto")).toBe(0);
  });

  it("stays below 1", () => {
    expect(negativityOf("awful ".repeat(20_000))).toBeLessThan(1);
  });
});
