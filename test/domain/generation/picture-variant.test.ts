import { describe, expect, it } from "vitest";
import {
  claimVariant,
  MOST_VARIANTS,
  type PictureFormat,
  variantEnded,
  variantKey,
  variantName,
  variantOf,
  type VariantState,
  type VariantWish,
  wishOf,
} from "../../../src/domain/generation/picture-variant.ts";

const NOTHING: VariantWish = { width: null, height: null, fit: null, format: null, quality: null };

const chosen = (wish: Partial<VariantWish>, made: PictureFormat, accept: string | null = null) =>
  variantOf({ ...NOTHING, ...wish }, made, accept);

const named = (wish: Partial<VariantWish>) => variantName({ ...NOTHING, ...wish, format: "webp" });

describe("a variant", () => {
  it("is none where nothing is asked for, nor where the picture is that already", () => {
    expect(wishOf(NOTHING)).toBeNull();
    expect(wishOf({ ...NOTHING, format: "auto" })).not.toBeNull();
    expect(chosen({ format: "jpeg" }, "jpeg")).toBeNull();
    expect(chosen({ format: "auto" }, "jpeg", "text/html,*/*;q=0.8")).toBeNull();
    expect(chosen({ quality: 80 }, "jpeg")).toMatchObject({ quality: 80, format: "jpeg" });
    expect(chosen({ format: "png" }, "jpeg")).toEqual({ ...NOTHING, format: "png" });
  });

  it("has a fit if it has a side", () => {
    expect(chosen({ width: 9 }, "png")?.fit).toBe("scale-down");
    expect(chosen({ height: 9, fit: "pad" }, "png")?.fit).toBe("pad");
    expect(chosen({ quality: 9 }, "png")?.fit).toBeNull();
  });

  it.each([
    ["image/avif,image/webp", "avif"],
    ["IMAGE/WEBP", "webp"],
    ["image/avif;q=0,image/webp;q=0.001", "webp"],
    ["image/avif; q=0.000", "png"],
    ["image/*", "png"],
    ["", "png"],
    [null, "png"],
  ])("chooses for %j", (accept, format) => {
    expect(chosen({ width: 9, format: "auto" }, "png", accept)?.format).toBe(format);
    // What is named is given, whatever the reader says.
    expect(chosen({ width: 9, format: "jpeg" }, "png", accept)?.format).toBe("jpeg");
  });

  it("has a name of its own", () => {
    expect(named({ width: 320, height: 200, fit: "cover", quality: 80 })).toBe(
      "w320-h200-cover-q80.webp",
    );
    expect(named({})).toBe("whole.webp");
    const all = [{ width: 20 }, { height: 20 }, { quality: 20 }, {}, { fit: "pad" } as const];
    expect(new Set(all.map(named)).size).toBe(all.length);
    const owner = { tenant: "acme", generation: 2 };
    expect(variantKey(owner, { callId: "jnl_1", pictureId: "img_1", name: "w2.webp" })).toBe(
      "acme/2/image-variants/jnl_1/img_1/w2.webp",
    );
  });
});

describe("the claim of a variant", () => {
  const NOW = 1_000_000;
  const state = (change: Partial<VariantState> = {}): VariantState => ({
    name: "w1.png",
    state: "making",
    untilMs: NOW + 1,
    failures: 0,
    ...change,
  });
  const claimed = (others: readonly VariantState[], name = "w1.png") =>
    claimVariant(name, others, NOW);

  it("is for one at a time, until whoever has it must have died", () => {
    const first = claimed([]);
    expect(first).toMatchObject({ kind: "claimed", claim: { state: "making" } });
    expect(claimed([state()])).toEqual({ kind: "being_made" });
    expect(claimed([state({ untilMs: NOW })]).kind).toBe("claimed");
    expect(claimed([state()], "w2.png").kind).toBe("claimed");
  });

  it("is given again for one whose file is gone", () => {
    expect(claimed([state({ state: "made", untilMs: NOW + 1 })]).kind).toBe("claimed");
  });

  it("waits twice as long after each failure in a row, a day at most", () => {
    const failed = (failures: number) => variantEnded(state({ failures }), false, NOW);
    expect([0, 1, 2, 30].map((failures) => failed(failures).untilMs - NOW)).toEqual([
      10_000, 20_000, 40_000, 86_400_000,
    ]);
    const once = failed(0);
    expect(claimed([once])).toEqual({ kind: "failed_before", untilMs: NOW + 10_000 });
    const again = claimVariant("w1.png", [once], NOW + 10_000);
    expect(again).toMatchObject({ kind: "claimed", claim: { failures: 1 } });
    expect(variantEnded(state({ failures: 5 }), true, NOW)).toMatchObject({
      state: "made",
      failures: 0,
    });
  });

  it("is refused beyond the limit, but for one that counts already", () => {
    const others = Array.from({ length: MOST_VARIANTS }, (_, at) =>
      state({ name: `w${at}.png`, state: "made" }),
    );
    expect(claimed(others, "w99.png")).toEqual({ kind: "too_many" });
    expect(claimed(others, "w3.png").kind).toBe("claimed");
    expect(claimed(others.slice(1), "w99.png").kind).toBe("claimed");
  });
});
