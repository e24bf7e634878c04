import { describe, expect, it } from "vitest";
import { typedFields } from "../../console/src/tenant/typed-fields.ts";

const FIELDS = { block_terms: "one\ntwo", reuse_ttl_s: "60" };

function form(errors: Readonly<Record<string, string>> = {}) {
  const changes: unknown[] = [];
  const set = (change: Partial<typeof FIELDS>) => void changes.push(change);
  return {
    changes,
    typed: typedFields<keyof typeof FIELDS>({
      fields: FIELDS,
      set,
      errors: new Map(Object.entries(errors)),
    }),
  };
}

describe("a text field of a form", () => {
  it("shows its value and changes it alone", () => {
    const { typed, changes } = form();
    const { value, onValue, error } = typed("reuse_ttl_s");
    onValue("30");
    expect([value, error]).toEqual(["60", undefined]);
    expect(changes).toEqual([{ reuse_ttl_s: "30" }]);
  });

  it("shows the server's message about it, or about a part of it", () => {
    const { typed } = form({ "terms.block.1": "Too long.", reuse_ttl_s: "At most 86400." });
    expect(typed("block_terms", "terms.block").error).toBe("Too long.");
    expect(typed("reuse_ttl_s").error).toBe("At most 86400.");
  });

  it("shows no message about a field whose name only begins like its own", () => {
    const { typed } = form({ "terms.blocked": "Unknown.", terms: "Unknown." });
    expect(typed("block_terms", "terms.block").error).toBeUndefined();
  });
});
