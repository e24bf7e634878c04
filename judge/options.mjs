import { parseArgs } from "node:util";
import { CATALOGUE } from "../src/domain/catalogue/catalogue.ts";

// Reads the command line. A wrong option gets one sentence.

export const USAGE = `npm run judge:evaluate -- --base-url URL --model NAME [--key KEY] [--data FOLDER] [--limit N] [--concurrency N] [--results FILE] [--priced-as ID] [--strict]

  --base-url     an OpenAI-compatible server, with its version: http://127.0.0.1:11434/v1
  --model        the server's name for the judge
  --key          its API key; better in the environment, as JUDGE_KEY
  --data         a folder with evaluation/ (tier0/DATA.md); without it only our own sets
  --limit        at most this many texts of each set, evenly spread over it
  --concurrency  texts in progress at once, 1 to 32 (default 4)
  --results      a file that keeps scores (and no texts), so that a broken-off run can continue
  --priced-as    the catalogue id whose price is used, if the model's name is not in the catalogue
  --strict       fail if a row misses its bar`;

export class WrongUse extends Error {}

/** @typedef {ReturnType<typeof readOptions>} Options */

export function readOptions(/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ env) {
  const values = parsed(args);
  const model = values.model ?? "";
  if (model === "") throw new WrongUse("Name the judge with --model.");
  const pricedAs = values["priced-as"] ?? (CATALOGUE.has(model) ? model : null);
  if (pricedAs !== null && !CATALOGUE.has(pricedAs)) {
    throw new WrongUse(`The catalogue has no model ${pricedAs} (--priced-as).`);
  }
  return {
    baseUrl: readUrl(values["base-url"]),
    model,
    key: values.key ?? env["JUDGE_KEY"] ?? "",
    data: values.data ?? null,
    limit: readCount("limit", values.limit, { least: 1, most: 1_000_000 }),
    concurrency: readCount("concurrency", values.concurrency, { least: 1, most: 32 }) ?? 4,
    results: values.results ?? null,
    pricedAs,
    strict: values.strict,
  };
}

function parsed(/** @type {string[]} */ args) {
  const string = /** @type {const} */ ({ type: "string" });
  try {
    return parseArgs({
      args,
      options: {
        "base-url": string,
        model: string,
        key: string,
        data: string,
        limit: string,
        concurrency: string,
        results: string,
        "priced-as": string,
        strict: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}

function readUrl(/** @type {string | undefined} */ text) {
  if (text === undefined) throw new WrongUse("Name the server with --base-url.");
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new WrongUse(
      "--base-url must be an http or https URL, such as http://127.0.0.1:11434/v1.",
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new WrongUse("--base-url must have no credentials, query or fragment.");
  }
  return text.replace(/\/+$/, "");
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {{ least: number, most: number }} range
 */
function readCount(name, text, { least, most }) {
  if (text === undefined) return null;
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < least || count > most) {
    throw new WrongUse(`--${name} must be a whole number from ${least} to ${most}.`);
  }
  return count;
}
