import { LABEL_GROUPS, type LabelGroup, type Scores } from "./category.ts";

// ImageNet labels that belong to one of our groups, by exact class name. A part of a name never counts:
// `cock` is a rooster, `hip` the fruit of a rose, `nipple` belongs to a baby bottle, `mortar` to a kitchen,
// and `tank car` is a wagon. The names and their synonyms are those of the 1,000 classes of ILSVRC 2012
// (https://image-net.org/challenges/LSVRC/2012/).
//
// A group can only flag. Left out on purpose: a soldier's clothes (uniform, vest, gas mask) are no weapons,
// and bathtubs, sarongs and miniskirts are not swimwear.

const GROUP_NAMES: Readonly<Record<LabelGroup, string>> = {
  weapons: `
    assault rifle, assault gun, rifle, revolver, six-gun, six-shooter, holster, scabbard, bow,
    cannon, missile, projectile, guillotine, cleaver, meat cleaver, chopper, hatchet,
    letter opener, paper knife, paperknife, chain saw, chainsaw, tank, army tank,
    armored combat vehicle, armoured combat vehicle, half track, warplane, military plane`,
  alcohol: `
    beer bottle, beer glass, wine bottle, red wine, whiskey jug, cocktail shaker, corkscrew,
    bottle screw, goblet`,
  swimwear: `
    bikini, two-piece, maillot, tank suit, swimming trunks, bathing trunks, bathing cap,
    swimming cap, brassiere, bra, bandeau`,
};

export interface ImageLabel {
  readonly name: string;
  /** From 0 to 1. */
  readonly score: number;
}

const GROUP_OF: ReadonlyMap<string, LabelGroup> = new Map(
  LABEL_GROUPS.flatMap((group) =>
    GROUP_NAMES[group].split(",").map((name) => [normalise(name), group]),
  ),
);

/** The group of a label, which may be a class name or its list of synonyms ("maillot, tank suit"). */
export function labelGroup(name: string): LabelGroup | null {
  for (const synonym of name.split(",")) {
    const group = GROUP_OF.get(normalise(synonym));
    if (group !== undefined) return group;
  }
  return null;
}

/** The sum of each group's scores, at most 1. A group without a label has 0. */
export function labelScores(labels: readonly ImageLabel[]): Scores {
  const scores: Record<LabelGroup, number> = { weapons: 0, alcohol: 0, swimwear: 0 };
  for (const { name, score } of labels) {
    const group = labelGroup(name);
    if (group !== null) scores[group] = Math.min(1, scores[group] + score);
  }
  return scores;
}

/** The strongest label of each group that has one, for the reason that names it. */
export function topLabels(labels: readonly ImageLabel[]): Partial<Record<LabelGroup, ImageLabel>> {
  const top: Partial<Record<LabelGroup, ImageLabel>> = {};
  for (const label of labels) {
    const group = labelGroup(label.name);
    if (group === null) continue;
    const best = top[group];
    if (best === undefined || label.score > best.score) top[group] = label;
  }
  return top;
}

/** "Image label whiskey_jug is in the group alcohol". Only names from our own list are repeated. */
export function labelMessage(group: LabelGroup, label: ImageLabel): string {
  const known = label.name.split(",").find((name) => GROUP_OF.get(normalise(name)) === group);
  const name = normalise(known ?? group).replaceAll(" ", "_");
  return `Image label ${name} is in the group ${group}`;
}

function normalise(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s_-]+/g, " ")
    .trim();
}
