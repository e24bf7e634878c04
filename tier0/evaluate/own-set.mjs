import { fileURLToPath } from "node:url";
import { shareOf } from "./metrics.mjs";
import { decide, DEFAULT } from "./policies.mjs";
import { jsonOf } from "./read-rows.mjs";
import { atLeast, forInformation } from "./table.mjs";

// Our own sentences, in groups, with the decision of a careful person. No training text equals one of
// them. They are kept compressed (own-set.json.gz), since many are offensive.

/** @typedef {import("./policies.mjs").Scores} Scores */

/** @type {Readonly<Record<string, (scores: Scores) => boolean>>} */
const MEETS = {
  flag: (scores) => decide(scores, DEFAULT) !== "allow",
  allow: (scores) => decide(scores, DEFAULT) === "allow",
  "not block": (scores) => decide(scores, DEFAULT) !== "block",
  injection: (scores) => scores.injection >= 0.5,
};

export const ownSet = () => jsonOf(fileURLToPath(new URL("own-set.json.gz", import.meta.url)));

export function measureOwnSet(/** @type {(text: string) => Scores} */ score) {
  /** @type {boolean[]} */
  const all = [];
  const each = Object.entries(ownSet()).map(([name, { expect, texts }]) => {
    const right = texts.map((/** @type {string} */ text) => MEETS[expect]?.(score(text)) ?? false);
    all.push(...right);
    return forInformation(`own: ${name} (${expect}, ${texts.length})`, shareOf(right, Boolean));
  });
  return [
    atLeast(
      `own set (${all.length}): decided as a careful person would`,
      shareOf(all, Boolean),
      0.85,
    ),
    ...each,
  ];
}
