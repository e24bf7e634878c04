// oxlint-disable-next-line import/no-unassigned-import -- it makes what the engines expect
import "./workers-globals.mjs";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { JUDGE_INSTRUCTIONS } from "../src/domain/moderation/judge.ts";
import { askModels } from "../src/engines/engine-call.ts";
import { createOpenAiEngine } from "../src/engines/openai/engine.ts";
import { prepare } from "../src/moderation/content.ts";

// Asks a judge about texts with the code that runs in production: the instructions and the fence, the
// schema and the strict reading, the windows of a long text, and one repeat. Only a hash of a text is
// kept.

/** @typedef {import("../src/domain/moderation/category.ts").Scores} Scores */
/** @typedef {import("../src/engines/engine.ts").CheckOutcome} CheckOutcome */
/**
 * The result of one text. `failure` null: it was judged.
 *
 * @typedef {{ key: string, failure: string | null, status: number | null, scores: Scores, input: number, output: number, ms: number }} Judged
 */

/** The time that a moderation gives its judge. */
const TIMEOUT_MS = 25_000;

/** Tries beyond production's if a server has no room. Each pause is longer than the one before. */
const MORE_TRIES = 4;
const FIRST_PAUSE_MS = 1_000;

/** An engine call needs a hold as its argument. Here nobody is charged. */
const NO_HOLD = /** @type {import("../src/domain/ledger/ledger.ts").Hold} */ ({});

export function createJudge(
  /** @type {Pick<import("./options.mjs").Options, "baseUrl" | "model" | "key" | "results">} */ options,
) {
  const { baseUrl, model, key: apiKey, results } = options;
  const engine = createOpenAiEngine({ baseUrl, apiKey, models: {}, defaultModel: model });
  const known = results === null ? new Map() : readResults(results);
  const keyOf = (/** @type {string} */ text) =>
    createHash("sha256")
      .update([JUDGE_INSTRUCTIONS, baseUrl, model, text].join("\n"))
      .digest("hex");

  const ask = async (/** @type {string} */ text, more = MORE_TRIES) => {
    /** @type {CheckOutcome} */
    let outcome = { kind: "timed_out" };
    for (let tries = 0; tries <= more; tries += 1) {
      if (tries > 0) await pause(FIRST_PAUSE_MS * 2 ** (tries - 1));
      const asked = await askModels([model], (id) =>
        engine.run(
          NO_HOLD,
          { name: "judge", model: id, text, language: null },
          { timeoutMs: TIMEOUT_MS },
        ),
      );
      outcome = asked.outcome;
      if (outcome.kind !== "refused" || !outcome.retryable) break;
    }
    return outcome;
  };

  return {
    /** How many of these texts the results file already has. */
    known: (/** @type {readonly string[]} */ texts) =>
      texts.filter((text) => known.has(keyOf(text))).length,

    /** Asks the judge even about a known text, and with no more tries than production. */
    probe: (/** @type {string} */ text) => ask(text, 0),

    /** @returns {Promise<Judged>} */
    async judge(/** @type {string} */ text) {
      const key = keyOf(text);
      const before = known.get(key);
      if (before !== undefined) return before;
      const started = performance.now();
      const outcomes = await Promise.all(windowsOf(text).map((window) => ask(window)));
      const judged = judgedOf(key, outcomes, Math.round(performance.now() - started));
      if (results !== null && judged.failure === null) {
        appendFileSync(results, `${JSON.stringify(judged)}\n`);
        known.set(key, judged);
      }
      return judged;
    },
  };
}

/** @returns {string[]} */
function windowsOf(/** @type {string} */ text) {
  const content = { ...NOTHING, text };
  return prepare(content).windows?.judge.windows.map((window) => window.text) ?? [];
}

/** @type {import("../src/moderation/content.ts").Content} */
const NOTHING = {
  verdictId: "",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  text: null,
  pictures: [],
  test: null,
  batchId: null,
};

/**
 * The highest scores of the windows. If one window was not judged, the text was not judged.
 *
 * @param {string} key
 * @param {readonly CheckOutcome[]} outcomes
 * @param {number} ms
 * @returns {Judged}
 */
function judgedOf(key, outcomes, ms) {
  const failed = outcomes.find(({ kind }) => kind !== "answered");
  /** @type {Record<string, number>} */
  const scores = {};
  let [input, output] = [0, 0];
  for (const outcome of outcomes) {
    if (outcome.kind !== "answered" && outcome.kind !== "failed") continue;
    // Cached tokens count too: their price depends on the server.
    const { usage } = outcome;
    input += (usage?.input_token ?? 0) + (usage?.cached_input_token ?? 0);
    output += usage?.output_token ?? 0;
    if (outcome.kind === "failed") continue;
    for (const [category, score] of Object.entries(outcome.scores)) {
      scores[category] = Math.max(scores[category] ?? 0, score);
    }
  }
  const failure = failed === undefined ? null : failureOf(failed);
  const status = failed !== undefined && "status" in failed ? (failed.status ?? null) : null;
  return { key, failure, status, scores: failure === null ? scores : {}, input, output, ms };
}

/** The failure as a stage's `failure` names it. */
function failureOf(/** @type {CheckOutcome} */ outcome) {
  switch (outcome.kind) {
    case "timed_out":
      return "timed_out";
    case "refused":
      return outcome.retryable ? "no_capacity" : "refused";
    case "failed":
      return outcome.malformed === true ? "malformed_answer" : "upstream_error";
    default:
      return "no_judge";
  }
}

const pause = (/** @type {number} */ ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** @returns {Map<string, Judged>} */
function readResults(/** @type {string} */ file) {
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, "utf8").split("\n");
  return new Map(lines.flatMap((line) => readResult(line)));
}

/**
 * Reads a line of the file. A line that was cut when a run was broken off is no result.
 *
 * @returns {[string, Judged][]}
 */
function readResult(/** @type {string} */ line) {
  try {
    const result = JSON.parse(line);
    return typeof result.key === "string" && result.failure === null ? [[result.key, result]] : [];
  } catch {
    return [];
  }
}
