import { describe, expect, it } from "vitest";
import { contextOf } from "../../src/http/call-labels.ts";

const of = (label: string) =>
  contextOf(new Request("https://gateway.test", { headers: { "x-neurogate-context": label } }));

describe("a caller's label of a call", () => {
  it.each(["signup", "app/v2:thread.reply@eu-1", "7", "a".repeat(64)])("may be %s", (label) =>
    expect(of(label)).toBe(label),
  );

  it("is none where the header is absent or empty", () => {
    expect(contextOf(new Request("https://gateway.test"))).toBeNull();
    expect(of("")).toBeNull();
  });

  it.each(["two words", "-first", "a".repeat(65), 'a"b', "a,b", "=1+1", "käse"])(
    "is refused as %s, and not quoted",
    (label) => {
      const refused = of(label);
      expect(refused).toMatchObject({ kind: "invalid_request" });
      expect(JSON.stringify(refused)).not.toContain(label);
    },
  );
});
