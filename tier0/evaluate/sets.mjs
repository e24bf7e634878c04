import { join } from "node:path";
import { csvRowsOf, jsonLinesOf, linesOf } from "./read-rows.mjs";
import { isHeldOut, shareOf } from "./splits.mjs";

// Reads the measured sets from a folder with `training/` and `evaluation/` (tier0/DATA.md). Of training
// sources it reads only the held-out part.

/** @typedef {{ text: string, positive: boolean, group: string }} Row */

/** @returns {Row[]} */
export const hateCheck = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "evaluation/hatecheck/test_suite_cases.csv")).map((row) => ({
    text: row.test_case ?? "",
    positive: row.label_gold === "hateful",
    group: row.functionality ?? "",
  }));

/** @returns {Row[]} */
export const hatemojiCheck = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "evaluation/hatemojicheck/HatemojiCheck_test.csv")).map((row) => ({
    text: row.text ?? "",
    positive: row.label_gold === "1",
    group: row.functionality ?? "",
  }));

/** Prompts with OpenAI's categories: 1, 0, or absent if it was not labelled. */
export const openAi = (/** @type {string} */ data) =>
  jsonLinesOf(join(data, "evaluation/openai-moderation-1680/samples-1680.jsonl.gz"));

/** @returns {Row[]} */
export const xsTest = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "evaluation/xstest/xstest_prompts.csv")).map((row) => ({
    text: row.prompt ?? "",
    positive: row.label === "unsafe",
    group: row.type ?? "",
  }));

/** Wikipedia comments with the scores that Perspective gave in 2018. */
export const perspective = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "evaluation/perspective-2k/scores.csv"));

/** Held-out tweets: hate, offensive, neither. */
export const davidson = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "training/davidson-2017/labeled_data.csv"))
    .filter((row) => isHeldOut(row.tweet ?? ""))
    .map((row) => ({
      text: row.tweet ?? "",
      positive: row.class !== "2",
      group: ["hate", "offensive", "neither"][Number(row.class)] ?? "",
    }));

/** SST-2: the test sentences that are not neutral. `positive` means a negative sentiment. */
export const sst2 = (/** @type {string} */ data) =>
  linesOf(join(data, "training/sst/sst_raw_test.txt"))
    .map((line) => ({ label: Number(line[1]), text: untokenised(leavesOf(line)) }))
    .filter(({ label }) => label !== 2)
    .map(({ label, text }) => ({ text, positive: label < 2, group: "" }));

const leavesOf = (/** @type {string} */ tree) =>
  [...tree.matchAll(/\(\d ([^()]+)\)/g)].map(([, word]) => word).join(" ");

/** Texts in the form that tier0/sources.py writes. */
const untokenised = (/** @type {string} */ text) =>
  text
    .replaceAll("-LRB-", "(")
    .replaceAll("-RRB-", ")")
    .replaceAll("\\/", "/")
    .replaceAll("``", '"')
    .replaceAll("''", '"')
    .replace(/ (n't|'s|'re|'ve|'ll|'d|'m|[.,!?;:)])/g, "$1");

/** Held-out comments of talk pages without a toxic label. */
export const talk = (/** @type {string} */ data) =>
  ["gn", "gc"].flatMap((name) =>
    csvRowsOf(join(data, `training/wiki-context-toxicity/${name}.csv`))
      .filter((row) => !["1", "1.0", "True"].includes(row.label ?? ""))
      .map((row) => row.text ?? "")
      .filter((text) => isHeldOut(text, 0.3)),
  );

/** Held-out texts that need no look by a person: talk pages, reviews, editorials, film sentences. */
export function benign(/** @type {string} */ data) {
  const others = ["amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets"].flatMap(
    (name) =>
      linesOf(join(data, `training/vader-icwsm2014/${name}_GroundTruth.txt`))
        .map((line) => line.split("\t")[2] ?? "")
        .filter((text) => isHeldOut(text)),
  );
  const films = sst2(data).map(({ text }) => text);
  return [...talk(data), ...others, ...films].filter((text) => text.trim().length > 1);
}

/**
 * Held-out toxic posts of Civil Comments in which annotators marked words. Positive: at least one of them
 * marked an attack on an identity.
 *
 * @returns {Row[]}
 */
export function markedPosts(/** @type {string} */ data) {
  const folder = join(data, "training/toxic-spans");
  /** @type {Map<string, string>} */
  const postOf = new Map();
  /** @type {Map<string, { all: number, not: number, types: Set<string> }>} */
  const posts = new Map();
  for (const row of csvRowsOf(join(folder, "annotations.csv"))) {
    const id = row.comment_id ?? "";
    postOf.set(row.annotation ?? "", id);
    const post = posts.get(id) ?? { all: 0, not: 0, types: new Set() };
    posts.set(id, post);
    post.all += 1;
    if (row["not toxic"] === "True") post.not += 1;
  }
  for (const row of csvRowsOf(join(folder, "spans.csv"))) {
    posts.get(postOf.get(row.annotation ?? "") ?? "")?.types.add(row.type ?? "");
  }
  return csvRowsOf(join(folder, "comments.csv")).flatMap((row) => {
    const text = row.comment_text ?? "";
    const post = posts.get(row.comment_id ?? "");
    if (!isHeldOut(text) || post === undefined || post.types.size === 0) return [];
    if (post.not * 2 > post.all) return [];
    return [{ text, positive: post.types.has("Identity based Attack"), group: "" }];
  });
}

/**
 * Held-out turns of people who talk to a bot. Positive: abuse that most annotators call sexual harassment.
 * Turns on which they do not agree are left out.
 *
 * @returns {Row[]}
 */
export function turnsToBots(/** @type {string} */ data) {
  const rows = csvRowsOf(join(data, "training/convabuse/ConvAbuseEMNLPfull.csv"));
  return [...Map.groupBy(rows, (row) => row.user ?? "")].flatMap(([text, turns]) => {
    const share = (/** @type {readonly string[]} */ names) =>
      turns.filter((row) => names.some((name) => Number(row[name]) > 0)).length / turns.length;
    const abusive = share(["is_abuse.-1", "is_abuse.-2", "is_abuse.-3"]) >= 0.6;
    if (!isHeldOut(text) || (!abusive && share(["is_abuse.1"]) < 0.9)) return [];
    return [{ text, positive: abusive && share(["type.sex_harassment"]) >= 0.5, group: "" }];
  });
}

/** Comments with a toxic label, the half that was held out. */
export const wikipedia = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "training/conversationai-bias/toxicity_nonfuzzed_testset.csv"))
    .filter((row) => shareOf(row.rev_id ?? "") < 0.5)
    .map((row) => ({ text: row.comment ?? "", positive: row.toxic === "True", group: "" }));

/** Posts with labels of sexism, the test split. */
export const edos = (/** @type {string} */ data) =>
  csvRowsOf(join(data, "training/edos/edos_labelled_aggregated.csv"))
    .filter((row) => row.split === "test")
    .map((row) => ({
      text: row.text ?? "",
      positive: row.label_sexist === "sexist",
      group: row.label_vector ?? "",
    }));

/** Long held-out jailbreaks. They are compared with the benign texts. */
export const jailbreaks = (/** @type {string} */ data) =>
  linesOf(join(data, "training/jailbreaks/inthewild_jailbreak_llms.json"))
    .filter((line) => /^\s*"/.test(line))
    .map((line) => JSON.parse(line.trim().replace(/,$/, "")))
    .filter((text) => isHeldOut(text, 0.2))
    .map((text) => text.slice(0, 700));

/** Words of abuse, which the disguises change. */
export function abuse(/** @type {string} */ data) {
  const words = csvRowsOf(join(data, "training/surge-profanity/profanity_en.csv"))
    .filter((row) => Number(row.severity_rating) >= 1.2)
    .map((row) => (row.text ?? "").toLowerCase());
  return new Set(words.filter((word) => /^[a-z]{4,}$/.test(word)));
}
