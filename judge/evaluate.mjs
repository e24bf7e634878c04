import { fileURLToPath } from "node:url";
import { CATALOGUE } from "../src/domain/catalogue/catalogue.ts";
import { JUDGE_INSTRUCTIONS, JUDGE_PROMPT_TOKENS } from "../src/domain/moderation/judge.ts";
import { ownSet } from "../tier0/evaluate/own-set.mjs";
import { has, jsonOf } from "../tier0/evaluate/read-rows.mjs";
import * as sets from "../tier0/evaluate/sets.mjs";
import { forInformation, print } from "../tier0/evaluate/table.mjs";
import { createJudge } from "./ask-judge.mjs";
import { costLines, hateCheckLines, isForJudges, openAiLines, ownLines } from "./measure.mjs";
import { readOptions, USAGE, WrongUse } from "./options.mjs";

// npm run judge:evaluate -- --base-url URL --model NAME …
//
// Measures a judge on public sets and on our own, with the product's own instructions, schema and reading,
// and measures its cost. It helps a person to choose a judge (docs/judge.md).

/** @typedef {import("./ask-judge.mjs").Judged} Judged */

/** After so many failures in a row the run stops, since the judge is not the cause. */
const MOST_IN_A_ROW = 20;

async function evaluate() {
  const options = readOptions(process.argv.slice(2), process.env);
  const rows = readRows(options.data, options.limit);
  const texts = [...new Set(rows.all.map(({ text }) => text))];
  const judge = createJudge(options);
  await checkServer(judge, options);
  const known = judge.known(texts);
  const model = options.pricedAs === null ? null : (CATALOGUE.get(options.pricedAs) ?? null);
  console.log(`judge: ${options.model}, instructions ${JUDGE_INSTRUCTIONS}`);
  console.log(
    `${texts.length} texts, ${known} of them in the results; about ${JUDGE_PROMPT_TOKENS + 60} tokens in and 110 out for each of the others.`,
  );
  const judged = await judgeAll(judge, texts, options.concurrency);
  const scored = scorer(judged);

  const lines = [
    ...ownLines(scored(rows.own), { title: "own set", prefix: "own" }),
    ...ownLines(scored(rows.ownForJudges), { title: "set for judges", prefix: "for judges" }),
  ];
  if (rows.hateCheck.length > 0) {
    const check = hateCheckLines(scored(rows.hateCheck));
    lines.unshift(...check.lines, ...openAiLines(scored(rows.openAi)));
    print("HateCheck, each functionality: share right at the flag", check.each);
  }
  print("The table", lines);
  print("Failures and cost", costLines([...judged.values()], model));
  const missed = lines.filter((line) => line.passed === false);
  print("Bars", [
    forInformation("reached", `${lines.filter((line) => line.passed).length}`),
    forInformation("missed", `${missed.length}`),
  ]);
  return options.strict && missed.length > 0 ? 1 : 0;
}

/**
 * Takes texts spread evenly over a set, which is sorted by what it tests. Every run takes the same texts.
 *
 * @template T
 * @param {readonly T[]} rows
 * @param {number | null} limit
 * @returns {T[]}
 */
function spread(rows, limit) {
  if (limit === null || rows.length <= limit) return [...rows];
  return Array.from({ length: limit }, (_, at) => rows[Math.floor((at * rows.length) / limit)]);
}

function readRows(/** @type {string | null} */ data, /** @type {number | null} */ limit) {
  const own = spread(ownRows(ownSet()), limit);
  const ownForJudges = spread(
    ownRows(jsonOf(fileURLToPath(new URL("own-set.json", import.meta.url)))),
    limit,
  );
  if (data === null) {
    console.log("No data: name the folder with --data to measure the public sets (tier0/DATA.md).");
    return { own, ownForJudges, hateCheck: [], openAi: [], all: [...own, ...ownForJudges] };
  }
  if (!has(`${data}/evaluation`)) {
    throw new WrongUse(`${data} has no folder "evaluation" (tier0/DATA.md).`);
  }
  const hateCheck = spread(sets.hateCheck(data), limit);
  const openAi = spread(
    sets.openAi(data).map((row) => ({ row, text: String(row.prompt) })),
    limit,
  );
  const all = [...own, ...ownForJudges, ...hateCheck, ...openAi];
  return { own, ownForJudges, hateCheck, openAi, all };
}

/** @param {Record<string, { expect: string, texts: string[] }>} set */
const ownRows = (set) =>
  Object.entries(set)
    .filter(([, { expect }]) => isForJudges(expect))
    .flatMap(([group, { expect, texts }]) => texts.map((text) => ({ group, expect, text })));

/** Asks about one text before all others, so that a mistake in the options shows at once. */
async function checkServer(
  /** @type {ReturnType<typeof createJudge>} */ judge,
  /** @type {import("./options.mjs").Options} */ { baseUrl, model },
) {
  const outcome = await judge.probe("What a lovely day.");
  switch (outcome.kind) {
    case "answered":
      return;
    case "timed_out":
      throw new WrongUse(`${baseUrl} does not answer in time.`);
    case "unsupported":
      throw new WrongUse(`${model} cannot be asked to judge.`);
    case "refused":
      throw new WrongUse(refusal(outcome, { baseUrl, model }));
    case "failed":
      if (outcome.malformed === true) {
        console.log(`${model} did not answer the first text in a judge's form.`);
        return;
      }
      throw new WrongUse(
        outcome.status === undefined
          ? `${baseUrl} broke off the connection, or is no OpenAI-compatible server.`
          : `${baseUrl} answers ${outcome.status}.`,
      );
  }
}

/**
 * @param {Extract<import("../src/engines/engine.ts").CheckOutcome, { kind: "refused" }>} refused
 * @param {{ baseUrl: string, model: string }} asked
 */
function refusal({ status, rejection }, { baseUrl, model }) {
  const said = rejection?.message === undefined ? "" : ` It says: ${rejection.message}`;
  switch (status) {
    case undefined:
      return `Nothing answers at ${baseUrl}.`;
    case 401:
    case 403:
      return `${baseUrl} does not take the key (${status}): give it as JUDGE_KEY or with --key.`;
    case 404:
      return `${baseUrl} has no such path, or no model ${model} (404).`;
    case 429:
      return `${baseUrl} has no room for a single text (429).`;
    default:
      return `${baseUrl} does not take the request (${status}).${said}`;
  }
}

/** @returns {Promise<Map<string, Judged>>} by text */
async function judgeAll(
  /** @type {ReturnType<typeof createJudge>} */ judge,
  /** @type {readonly string[]} */ texts,
  /** @type {number} */ concurrency,
) {
  /** @type {Map<string, Judged>} */
  const judged = new Map();
  const waiting = texts.values();
  let inARow = 0;
  let stopped = false;
  const work = async () => {
    for (const text of waiting) {
      if (stopped) return;
      const one = await judge.judge(text);
      judged.set(text, one);
      inARow = one.failure === null ? 0 : inARow + 1;
      if (inARow >= MOST_IN_A_ROW) {
        stopped = true;
        const status = one.status === null ? "" : ` (${one.status})`;
        throw new WrongUse(
          `${MOST_IN_A_ROW} texts failed one after the other, the last as ${one.failure}${status}: the run stops.`,
        );
      }
      if (judged.size % 250 === 0) console.log(`${judged.size} of ${texts.length}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return judged;
}

/**
 * Rows with their scores. A text that was not judged counts only among the failures.
 *
 * @param {ReadonlyMap<string, Judged>} judged
 */
const scorer =
  (judged) =>
  /**
   * @template {{ text: string }} T
   * @param {readonly T[]} rows
   */
  (rows) =>
    rows.flatMap((row) => {
      const one = judged.get(row.text);
      return one === undefined || one.failure !== null ? [] : [{ ...row, scores: one.scores }];
    });

try {
  process.exitCode = await evaluate();
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(error.message);
  if (process.argv.length <= 2) console.error(`\n${USAGE}`);
  process.exitCode = 2;
}
