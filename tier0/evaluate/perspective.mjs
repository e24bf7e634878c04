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
//
// Then, for the two attributes that are more than a head, it compares head and attribute on held-out texts
// of the training folder that people labelled.

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

const { data } = values;
const { model } = loadModel(undefined);
const rows = sets.perspective(data);
const asked = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, {}]));

/** The scores of one comment; null if it is not scored. */
async function scoresOf(/** @type {string} */ text) {
  const analysis = await analyzeComment((part) => judgeText(part, async () => model), {
    text,
    isHtml: false,
    attributes: asked,
    languages: ["en"],
    dropUnsupported: false,
    bySentence: false,
  });
  return analysis.kind === "analyzed" ? analysis.summary : null;
}

const heads = [];
for (const row of rows) heads.push(await scoresOf(row.comment_text ?? ""));
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

/**
 * A figure with its 95 % interval over resamples of the pairs.
 *
 * @param {readonly Pair[]} pairs
 * @param {(pairs: readonly Pair[]) => number} figure
 * @param {number} digits
 */
function withInterval(pairs, figure, digits) {
  const random = numbers(17);
  const drawn = Array.from({ length: RESAMPLES }, () =>
    figure(pairs.flatMap(() => pairs[Math.floor(random() * pairs.length)] ?? [])),
  ).toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    (drawn[Math.floor(share * RESAMPLES)] ?? 0).toFixed(2);
  return `${figure(pairs).toFixed(digits)} (${at(0.025)} to ${at(0.975)})`;
}

const countAbove = (/** @type {readonly Pair[]} */ pairs, /** @type {number} */ threshold) =>
  pairs.filter(({ theirs }) => theirs >= threshold).length;

const aucOf = (/** @type {readonly Pair[]} */ pairs) =>
  auc(pairs.map(({ theirs, ours }) => ({ positive: theirs >= 0.7, score: ours })));

const line = (/** @type {readonly string[]} */ cells) => console.log(`| ${cells.join(" | ")} |`);
const titles = [
  "attribute",
  "rank correlation",
  "at 0.7",
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
  line([
    name,
    rankCorrelation(
      pairs.map(({ theirs }) => theirs),
      pairs.map(({ ours }) => ours),
    ).toFixed(3),
    String(countAbove(pairs, 0.7)),
    countAbove(pairs, 0.7) < FEWEST ? "" : withInterval(pairs, aucOf, 3),
    ...THRESHOLDS.map((threshold) =>
      countAbove(pairs, threshold) < FEWEST
        ? ""
        : withInterval(pairs, (drawn) => sameShare(drawn, threshold), 2),
    ),
  ]);
}

const harmless = sets.talk(data).map((text) => ({ text, positive: false, group: "" }));
const marked = sets.markedPosts(data);
const turns = sets.turnsToBots(data);
const objects = sets.edos(data).filter(({ group }) => group.includes("sexual objectification"));

/** @typedef {import("../../src/domain/moderation/comment-attributes.ts").HeadScores} HeadScores */

/** @type {readonly [string, string, keyof HeadScores, readonly sets.Row[]][]} */
const LABELLED = [
  [
    "identity attacks: marked posts, harmless comments",
    "IDENTITY_ATTACK",
    "hate",
    [...marked, ...harmless],
  ],
  ["identity attacks: among marked posts", "IDENTITY_ATTACK", "hate", marked],
  ["sexual harassment of bots: all turns", "SEXUALLY_EXPLICIT", "sexual", turns],
  [
    "sexual objectification: posts, harmless comments",
    "SEXUALLY_EXPLICIT",
    "sexual",
    [...objects, ...harmless],
  ],
];

console.log("\nHeld-out texts that people labelled, AUC:\n");
const columns = ["texts", "all", "positive", "attribute", "the head alone", "the attribute"];
line(columns);
line(columns.map(() => "---"));
for (const [title, attribute, head, texts] of LABELLED) {
  const byHead = [];
  const byAttribute = [];
  for (const { text, positive } of texts) {
    // oxlint-disable-next-line no-await-in-loop -- there is no real wait: the model is in memory
    const own = await scoresOf(text);
    if (own === null) continue;
    byHead.push({ positive, score: own[head] });
    byAttribute.push({ positive, score: scoreOf(attribute, own) });
  }
  line([
    title,
    String(byHead.length),
    String(byHead.filter(({ positive }) => positive).length),
    attribute,
    auc(byHead).toFixed(3),
    auc(byAttribute).toFixed(3),
  ]);
}
