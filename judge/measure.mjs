import { priceOf } from "../src/domain/catalogue/catalogue.ts";
import { auc, averagePrecision, quantile, shareOf } from "../tier0/evaluate/metrics.mjs";
import { measureHateCheck } from "../tier0/evaluate/measure-sets.mjs";
import { atLeast, forInformation } from "../tier0/evaluate/table.mjs";
import { POLICIES } from "./decide.mjs";

// The rows of the report, for the texts that were judged. The names and the bars are those of the model
// inside the Worker (`npm run tier0:evaluate`), which costs nothing. A judge that misses a bar is no
// better than that model there.

/** @typedef {import("../src/domain/moderation/category.ts").Scores} Scores */
/** @typedef {import("../tier0/evaluate/table.mjs").Line} Line */
/** @typedef {import("../tier0/evaluate/sets.mjs").Row} Row */
/** @typedef {import("./ask-judge.mjs").Judged} Judged */

/**
 * Replaces a figure that needs texts of two kinds when one kind is missing.
 *
 * @param {readonly Line[]} lines
 * @returns {Line[]}
 */
const known = (lines) =>
  lines.map(({ name, figure, ...bars }) =>
    typeof figure === "number" && Number.isNaN(figure)
      ? forInformation(name, "too few")
      : { name, figure, ...bars },
  );

export function hateCheckLines(/** @type {readonly (Row & { scores: Scores })[]} */ rows) {
  const scored = rows.map((row) => ({
    ...row,
    scores: { ...row.scores, hate: row.scores.hate ?? 0 },
  }));
  const { lines, each } = measureHateCheck(scored, POLICIES);
  return { lines: known(lines), each };
}

/** OpenAI's columns, our category for each, and the average precision of the small model. */
const COLUMNS = /** @type {const} */ ([
  ["S", "sexual", 0.86],
  ["H", "hate", 0.51],
  ["V", "violence", null],
  ["HR", "harassment", 0.42],
  ["SH", "self-harm", 0.45],
  ["S3", "sexual/minors", null],
  ["H2", "hate/threatening", null],
  ["V2", "violence/graphic", null],
]);

/** @returns {Line[]} */
export function openAiLines(
  /** @type {readonly { row: Record<string, unknown>, scores: Scores }[]} */ rows,
) {
  const any = rows.map(({ row, scores }) => ({
    positive: COLUMNS.some(([column]) => row[column] === 1),
    score: Math.max(0, ...Object.values(scores)),
  }));
  const each = COLUMNS.map(([column, category, bar]) => {
    const labelled = rows.filter(({ row }) => row[column] === 0 || row[column] === 1);
    const figure = averagePrecision(
      labelled.map(({ row, scores }) => ({
        positive: row[column] === 1,
        score: scores[category] ?? 0,
      })),
    );
    const name = `openai-1680 ${category}, AP`;
    return bar === null ? forInformation(name, figure) : atLeast(name, figure, bar);
  });
  const decided = rows.map(({ scores }, at) => ({
    positive: any[at]?.positive ?? false,
    decision: POLICIES.default(scores),
  }));
  const alarms = (/** @type {boolean} */ positive) =>
    shareOf(
      decided.filter((one) => one.positive === positive),
      ({ decision }) => decision !== "allow",
    );
  return known([
    atLeast("openai-1680 any, AP", averagePrecision(any), 0.74, 0.77),
    forInformation("openai-1680 any, AUC", auc(any)),
    ...each,
    forInformation("openai-1680 harmful, flagged or blocked by default", alarms(true)),
    forInformation("openai-1680 harmless, flagged or blocked by default", alarms(false)),
  ]);
}

/** @type {Readonly<Record<string, (decision: string) => boolean>>} */
const MEETS = {
  flag: (decision) => decision !== "allow",
  allow: (decision) => decision === "allow",
  "not block": (decision) => decision !== "block",
};

/** Whether a judge checks for this. Injections are found by rules beside it. */
export const isForJudges = (/** @type {string} */ expect) => Object.hasOwn(MEETS, expect);

/** @typedef {{ group: string, expect: string, scores: Scores }} Own */

const right = (/** @type {Own} */ { expect, scores }) =>
  MEETS[expect]?.(POLICIES.default(scores)) ?? false;

/** @returns {Line[]} */
export function ownLines(
  /** @type {readonly Own[]} */ rows,
  /** @type {{ title: string, prefix: string }} */ { title, prefix },
) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return known([
    atLeast(
      `${title} (${rows.length}): decided as a careful person would`,
      shareOf(rows, right),
      0.85,
    ),
    ...groups.map((group) => {
      const some = rows.filter((row) => row.group === group);
      const name = `${prefix}: ${group} (${some[0]?.expect}, ${some.length})`;
      return forInformation(name, shareOf(some, right));
    }),
  ]);
}

const count = (/** @type {number} */ of) => String(of);

/**
 * @param {readonly Judged[]} all
 * @param {import("../src/domain/catalogue/catalogue.ts").Model | null} model whose price is taken
 * @returns {Line[]}
 */
export function costLines(all, model) {
  const failed = all.filter(({ failure }) => failure !== null);
  const kinds = [...new Set(failed.map(({ failure }) => failure ?? ""))].toSorted();
  const sum = (/** @type {(one: Judged) => number} */ of) =>
    all.reduce((total, one) => total + of(one), 0);
  const [input, output] = [sum((one) => one.input), sum((one) => one.output)];
  const reported = all.filter((one) => one.input > 0);
  const times = all.map(({ ms }) => ms);
  const neurons =
    model === null ? null : priceOf(model, { input_token: input, output_token: output }) / 1e6;
  return [
    forInformation("texts", count(all.length)),
    forInformation("judged", count(all.length - failed.length)),
    ...kinds.map((kind) =>
      forInformation(`failed: ${kind}`, count(failed.filter((f) => f.failure === kind).length)),
    ),
    forInformation("texts whose tokens the server reported", count(reported.length)),
    forInformation("input tokens", count(input)),
    forInformation("output tokens", count(output)),
    ...(reported.length === 0
      ? []
      : [
          forInformation("input tokens a text", input / reported.length),
          forInformation("output tokens a text", output / reported.length),
        ]),
    ...(neurons === null || model === null
      ? []
      : [
          forInformation(`neurons, as ${model.id}`, neurons.toFixed(3)),
          forInformation("neurons a text", (neurons / Math.max(1, reported.length)).toFixed(3)),
        ]),
    ...(times.length === 0
      ? []
      : [
          forInformation("ms a text, p50", count(quantile(times, 0.5))),
          forInformation("ms a text, p95", count(quantile(times, 0.95))),
        ]),
  ];
}
