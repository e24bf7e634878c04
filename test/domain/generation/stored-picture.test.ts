import { describe, expect, it } from "vitest";
import { generationPrefix, pictureKey } from "../../../src/domain/generation/stored-picture.ts";

describe("the keys of a tenant's files", () => {
  it("begin with the tenant and its generation", () => {
    const owner = { tenant: "acme", generation: 2 };
    expect(generationPrefix(owner)).toBe("acme/2/");
    expect(pictureKey(owner, "img_1")).toBe("acme/2/images/img_1");
  });

  it("are none without a generation: nobody would find or erase such a file", () => {
    const owner = { tenant: "acme" } as unknown as Parameters<typeof generationPrefix>[0];
    expect(() => generationPrefix(owner)).toThrow(RangeError);
  });
});
