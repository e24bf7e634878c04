// What the programs of the Node clients share: the scripted engines and the run, which prints a line of
// JSON for each feature. features.mjs says what each feature must give. The same in Python is
// python/drive.py, in Go go/drive.go.
//
// From the environment: OPENAI_BASE_URL, OPENAI_API_KEY and SPENT_API_KEY (its quota is used up);
// CLOUDFLARE_BASE_URL, CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN and the account SPENT_ACCOUNT_ID with
// SPENT_API_TOKEN; OPENAI_UPSTREAM_URL and CLOUDFLARE_UPSTREAM_URL, where the scripted engines say what
// they were asked.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

const LONGEST_MS = 30_000;

/** What the scripted engine says and hears, which models there are, and its odd answers. */
export const EXPECTED = JSON.parse(
  readFileSync(new URL("../expected.json", import.meta.url), "utf8"),
);
export const { models, said, heard, rude } = EXPECTED;

const { env } = process;

/** The key of the tenant, or of the one whose quota is used up. */
export const keyOf = (isSpent = false) => (isSpent ? env.SPENT_API_KEY : env.OPENAI_API_KEY);

/** The same as an account and a token of Cloudflare. */
export const accountOf = (isSpent = false) =>
  isSpent
    ? { account: env.SPENT_ACCOUNT_ID, token: env.SPENT_API_TOKEN }
    : { account: env.CLOUDFLARE_ACCOUNT_ID, token: env.CLOUDFLARE_API_TOKEN };

export const userSays = (/** @type {string} */ content) => [{ role: "user", content }];

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

/** How many chats the engine behind a service was asked for with this prompt. */
export async function timesAsked(prompt, /** @type {"openai" | "cloudflare"} */ service) {
  const upstream = service === "openai" ? env.OPENAI_UPSTREAM_URL : env.CLOUDFLARE_UPSTREAM_URL;
  const match = encodeURIComponent(prompt);
  const response = await fetch(`${upstream}__requests?match=${match}`);
  return (await response.json()).filter(({ task }) => task === "chat").length;
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
