import { describe, expect, it } from "vitest";
import {
  labelGroup,
  labelMessage,
  labelScores,
  topLabels,
} from "../../../src/domain/moderation/image-labels.ts";

describe("labelGroup", () => {
  it.each([
    ["assault_rifle", "weapons"],
    ["ASSAULT RIFLE", "weapons"],
    ["assault rifle, assault gun", "weapons"],
    ["revolver, six-gun, six-shooter", "weapons"],
    ["six shooter", "weapons"],
    ["bow", "weapons"],
    ["tank, army tank, armored combat vehicle, armoured combat vehicle", "weapons"],
    ["projectile, missile", "weapons"],
    ["cleaver, meat cleaver, chopper", "weapons"],
    ["whiskey_jug", "alcohol"],
    ["Whiskey  Jug ", "alcohol"],
    ["red wine", "alcohol"],
    ["corkscrew, bottle screw", "alcohol"],
    ["bikini, two-piece", "swimwear"],
    ["maillot", "swimwear"],
    ["maillot, tank suit", "swimwear"],
    ["swimming trunks, bathing trunks", "swimwear"],
    ["brassiere, bra, bandeau", "swimwear"],
  ])("%s is in %s", (name, group) => expect(labelGroup(name)).toBe(group));

  it.each(
    [
      "cock; hip, rose hip, rosehip; nipple; mortar; crane; drumstick; mask; tank car; rifleman",
      "bow tie, bow-tie, bowtie; rainbow; cannonball; wine; bathtub, bathing tub; tub, vat",
      "military uniform; gasmask; sunglasses; ; ,; constructor; __proto__; toString",
    ].flatMap((names) => names.split("; ")),
  )("%j is in none", (name) => expect(labelGroup(name)).toBeNull());
});

describe("labelScores", () => {
  it("sums the mass of each group, and scores what is absent 0", () => {
    const scores = labelScores([
      { name: "RIFLE", score: 0.4 },
      { name: "assault_rifle", score: 0.3 },
      { name: "beer glass", score: 0.2 },
      { name: "tabby", score: 0.1 },
    ]);
    expect(scores.weapons).toBeCloseTo(0.7);
    expect(scores).toMatchObject({ alcohol: 0.2, swimwear: 0 });
    expect(labelScores([])).toEqual({ weapons: 0, alcohol: 0, swimwear: 0 });
  });

  it("never exceeds 1", () => {
    const rifle = { name: "rifle", score: 0.8 };
    expect(labelScores([rifle, rifle]).weapons).toBe(1);
  });
});

describe("reasons", () => {
  it("name the strongest label of each group", () => {
    const labels = [
      { name: "beer glass", score: 0.2 },
      { name: "whiskey jug", score: 0.5 },
      { name: "tabby", score: 0.9 },
    ];
    expect(topLabels(labels)).toEqual({ alcohol: { name: "whiskey jug", score: 0.5 } });
    expect(labelMessage("alcohol", { name: "whiskey jug", score: 0.5 })).toBe(
      "Image label whiskey_jug is in the group alcohol",
    );
  });

  it("say only names that we know", () => {
    const label = { name: "<script>, Red_Wine", score: 1 };
    expect(labelMessage("alcohol", label)).toBe("Image label red_wine is in the group alcohol");
  });
});
