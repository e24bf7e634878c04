// What the programs of the Node clients share: they use each feature as its users do, and print a line
// of JSON for each. The same in Python is python/drive.py, in Go go/drive.go.
//
// From the environment: OPENAI_BASE_URL, OPENAI_API_KEY and SPENT_API_KEY (its quota is used up);
// CLOUDFLARE_BASE_URL, CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN and the account SPENT_ACCOUNT_ID with
// SPENT_API_TOKEN; OPENAI_UPSTREAM_URL and CLOUDFLARE_UPSTREAM_URL, where the scripted engines say what
// they were asked.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { wav } from "../../../test/e2e/tiny-recording.mjs";

const LONGEST_MS = 30_000;

/** What the scripted engine says and hears, which models there are, and its odd answers. */
export const EXPECTED = JSON.parse(
  readFileSync(new URL("../expected.json", import.meta.url), "utf8"),
);
export const { models, said, heard, rude } = EXPECTED;

/** A text that makes the scripted engine behave so (test/fakes/chat.mjs). */
export const scripted = (/** @type {string} */ behaviour) =>
  `Hello there. [[fake:${behaviour}|${randomUUID()}]]`;

/** The engine says this text, in 12 and 5 tokens. */
export const saying = (text = said) => scripted(`text=${encodeURIComponent(text)}&usage=12/5`);

/** The engine asks for the weather in Paris, then in Rome, and then says the text. */
export function askingForWeather(more = "") {
  const call = (/** @type {string} */ city) =>
    `tool=get_weather&args=${encodeURIComponent(JSON.stringify({ city }))}&ids=${city}&usage=12/5${more}`;
  return scripted(`${call("Paris")},${call("Rome")},text=${encodeURIComponent(said)}&usage=12/5`);
}

/** A second of silence. */
export const recording = () => wav(1000, "");

/** @returns {string[]} */
export const texts = (count) => Array.from({ length: count }, (_, at) => "x".repeat(at + 1));

/** The engine's vectors begin with the length of the text. */
export function assertVectors(vectors, count) {
  assert.deepEqual(
    vectors.map(([length]) => length),
    texts(count).map(({ length }) => length),
  );
}

/**
 * The odd answers of the engine. `ask` and `stream` return what the client shows of an answer:
 * `{ text, finish, usage: [prompt, completion], reasoning }`; what it does not show is undefined.
 * `isOlder`: it reads the form of older models alone, `{ response }`.
 */
export function oddAnswers({ ask, stream, isOlder = false }) {
  const text = `text=${encodeURIComponent(said)}`;
  const all = EXPECTED.odd.filter(({ newer }) => !(isOlder && newer));
  return all.map(({ name, behaviour, streamed, fails, ...expected }) => ({
    name,
    async use() {
      const prompt = scripted(`${text}&${behaviour}`);
      const answer = (streamed ? stream : ask)(prompt);
      if (fails) {
        await assert.rejects(answer, (error) => !(error instanceof TypeError));
        return;
      }
      const shown = await answer;
      for (const [field, value] of Object.entries({ text: said, ...expected })) {
        if (shown[field] !== undefined) assert.deepEqual(shown[field], value, field);
      }
      assert.equal(typeof shown.text, "string");
    },
  }));
}

/** How many chats an engine was asked for with this prompt. */
export async function timesAsked(prompt, upstream = process.env.OPENAI_UPSTREAM_URL) {
  const match = encodeURIComponent(prompt);
  const response = await fetch(`${upstream}__requests?match=${match}`);
  return (await response.json()).filter(({ task }) => task === "chat").length;
}

/**
 * A model that is not there, an answer that the engine refuses to give, a quota that is used up.
 *
 * @param ask `(prompt, { model, isSpent })`
 * @param statusOf the status of what it throws
 */
export async function assertErrors({ ask, statusOf, upstream }) {
  const failing = async (/** @type {number} */ status, message, prompt, options = {}) => {
    await assert.rejects(ask(prompt, options), (error) => {
      assert.equal(statusOf(error), status, String(error));
      if (message !== null) assert.match(error.message, message);
      return true;
    });
  };
  await failing(404, /no-such-model/, saying(), { model: "no-such-model" });
  const refused = scripted("400");
  await failing(400, /Scripted|error code: 1105/, refused);
  assert.equal(await timesAsked(refused, upstream), 1);
  await failing(429, /neurons/, saying(), { isSpent: true });
}

function versionOf(/** @type {string} */ name) {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
}

const print = (line) => console.log(JSON.stringify(line));

/**
 * Uses each feature and prints whether it works.
 *
 * @param {string[]} packages whose versions are named
 * @param {Record<string, (() => Promise<unknown>) | { name: string, use: () => Promise<unknown> }[]>} features
 */
export async function drive(packages, features) {
  print({ versions: packages.map(versionOf) });
  for (const [feature, uses] of Object.entries(features)) {
    const all = Array.isArray(uses) ? uses : [{ name: null, use: uses }];
    for (const { name, use } of all) {
      const late = new Promise((_, reject) => {
        const lose = () => reject(new Error(`${LONGEST_MS / 1000} s were not enough`));
        setTimeout(lose, LONGEST_MS).unref();
      });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const error = await Promise.race([use(), late]).then(
        () => null,
        (thrown) => thrown,
      );
      const why = error === null ? {} : { why: String(error?.stack ?? error) };
      print({ feature, name, works: error === null, ...why });
    }
  }
  process.exit(0);
}
