import { parseArgs } from "node:util";
import { judgeText } from "../../src/engines/embedded/text-model.ts";
import { scoreOf } from "../../src/domain/moderation/comment-attributes.ts";
import { analyzeComment } from "../../src/moderation/analyze-comment.ts";
import { loadModel } from "./load-model.mjs";
import { auc, rankCorrelation } from "./metrics.mjs";
import { numbers } from "./numbers.mjs";
import * as sets from "./sets.mjs";

// npm run perspective:compare -- --data <folder>
//
// Compares `comments:analyze` with Perspective's models of 2018 on the same comments (tier0/DATA.md names
// the set). It shows how similar the order is, and our threshold with the same share of comments above it
// as theirs. No threshold of the product is chosen by it.

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (values.data === undefined) {
  console.error("Name the folder of data with --data (tier0/DATA.md).");
  process.exit(2);
}

/** Our attribute, and the column of theirs. */
const COLUMNS = {
  TOXICITY: "TOXICITY@6",
  SEVERE_TOXICITY: "SEVERE_TOXICITY@2",
  IDENTITY_ATTACK: "IDENTITY_ATTACK",
  INSULT: "INSULT",
  PROFANITY: "PROFANITY",
  THREAT: "THREAT",
  SEXUALLY_EXPLICIT: "SEXUALLY_EXPLICIT",
};
const THRESHOLDS = [0.5, 0.7, 0.8, 0.9];
/** With fewer comments above a threshold no figure is shown. */
const FEWEST = 30;
const RESAMPLES = 500;

const { model } = loadModel(undefined);
const rows = sets.perspective(values.data);
const asked = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, {}]));
const heads = [];
for (const row of rows) {
  const analysis = await analyzeComment((text) => judgeText(text, async () => model), {
    text: row.comment_text ?? "",
    isHtml: false,
    attributes: asked,
    languages: ["en"],
    dropUnsupported: false,
    bySentence: false,
  });
  heads.push(analysis.kind === "analyzed" ? analysis.summary : null);
}
const scored = rows.flatMap((row, at) => {
  const own = heads[at];
  return own === null || own === undefined ? [] : [{ row, own }];
});
console.log(`${scored.length} of ${rows.length} comments are scored.\n`);

/** @typedef {{ theirs: number, ours: number }} Pair */

/** Our score with the same share of comments at or above it. */
function sameShare(/** @type {readonly Pair[]} */ pairs, /** @type {number} */ threshold) {
  const above = pairs.filter(({ theirs }) => theirs >= threshold).length;
  return pairs.map(({ ours }) => ours).toSorted((a, b) => b - a)[above - 1] ?? 1;
}

function cell(/** @type {readonly Pair[]} */ pairs, /** @type {number} */ threshold) {
  if (pairs.filter(({ theirs }) => theirs >= threshold).length < FEWEST) return "";
  const random = numbers(17);
  const drawn = Array.from({ length: RESAMPLES }, () =>
    sameShare(
      pairs.flatMap(() => pairs[Math.floor(random() * pairs.length)] ?? []),
      threshold,
    ),
  ).toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    (drawn[Math.floor(share * RESAMPLES)] ?? 0).toFixed(2);
  return `${sameShare(pairs, threshold).toFixed(2)} (${at(0.025)} to ${at(0.975)})`;
}

const line = (/** @type {readonly string[]} */ cells) => console.log(`| ${cells.join(" | ")} |`);
const titles = [
  "attribute",
  "rank correlation",
  "AUC at 0.7",
  ...THRESHOLDS.map((t) => `theirs ${t}`),
];
line(titles);
line(titles.map(() => "---"));
for (const [name, column] of Object.entries(COLUMNS)) {
  const pairs = scored.map(({ row, own }) => ({
    theirs: Number(row[column]),
    ours: scoreOf(name, own),
  }));
  const high = pairs.map(({ theirs, ours }) => ({ positive: theirs >= 0.7, score: ours }));
  const isFew = high.filter(({ positive }) => positive).length < FEWEST;
  line([
    name,
    rankCorrelation(
      pairs.map(({ theirs }) => theirs),
      pairs.map(({ ours }) => ours),
    ).toFixed(3),
    isFew ? "" : auc(high).toFixed(3),
    ...THRESHOLDS.map((threshold) => cell(pairs, threshold)),
  ]);
}
