// The features that a client is tried in, and what each must give. The client's program says only how it
// does each of them. The same in Python is python/features.py.
import assert from "node:assert/strict";
import { z } from "zod";
import { wav } from "../../../test/e2e/tiny-recording.mjs";
import {
  askingForWeather,
  EXPECTED,
  heard,
  rude,
  said,
  saying,
  scripted,
  timesAsked,
  userSays,
} from "./drive.mjs";

const WEATHER = { place: { city: "Paris", country: null }, degrees: 24 };

/** The schema of the object that the engine writes: with an object in it, and null. */
export const Weather = z.object({
  place: z.object({ city: z.string(), country: z.string().nullable() }),
  degrees: z.number(),
});

export const assertWeather = (object) => assert.deepEqual(object, WEATHER);

/** The engine writes the object. */
export const writingWeather = () => saying(JSON.stringify(WEATHER));

/** The tool that the engine calls, for clients that take its arguments as a schema of zod. */
export const City = z.object({ city: z.string() });

/** The tool as the wire has it. */
export const WEATHER_FUNCTION = {
  name: "get_weather",
  description: "The weather in a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

/** A guard that withholds a prompt that was flagged. */
const MODERATION = { model: "omni-moderation-latest", policy: { input: { mode: "block" } } };

/** @returns {string[]} */
export const texts = (count) => Array.from({ length: count }, (_, at) => "x".repeat(at + 1));

/**
 * What a client shows of an answer. What it does not show is undefined.
 *
 * @typedef {object} Shown
 * @property {string} text
 * @property {string} [finish] in the words of chat completions
 * @property {[number, number]} [usage] tokens of the prompt and of the answer
 * @property {number} [reasoning] tokens
 */

/** What is shown of an answer in the form of chat completions. @returns {Shown} */
export function shownOf({ choices: [{ message, finish_reason }], usage }) {
  return {
    text: message.content ?? "",
    finish: finish_reason,
    usage: usage && [usage.prompt_tokens, usage.completion_tokens],
    reasoning: usage?.completion_tokens_details?.reasoning_tokens,
  };
}

/** Answers the calls of tools as the wire has them. `complete` gives the message for messages. */
export async function answerCalls(prompt, weather, complete) {
  const messages = userSays(prompt);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const message = await complete(messages);
    if (!message.tool_calls?.length) return message.content;
    const outputs = message.tool_calls.map(({ id, function: { arguments: written } }) => ({
      role: "tool",
      tool_call_id: id,
      content: weather(JSON.parse(written)),
    }));
    messages.push(message, ...outputs);
  }
}

/** The engine is asked three times: it calls the tool twice, and then answers. */
export async function assertTools(useTools, service = "openai", more = "") {
  const cities = [];
  const weather = (/** @type {{ city: string }} */ { city }) => {
    cities.push(city);
    return "24 degrees";
  };
  const prompt = askingForWeather(more);
  const text = await useTools(prompt, weather, more !== "");
  assert.deepEqual([text, cities], [said, ["Paris", "Rome"]]);
  assert.equal(await timesAsked(prompt, service), 3);
}

function assertSaid(/** @type {Shown} */ shown, /** @type {(keyof Shown)[]} */ fields) {
  const expected = { text: said, finish: "stop", usage: [12, 5] };
  for (const field of fields) assert.deepEqual(shown[field], expected[field], field);
}

/** The engine's vectors begin with the length of the text. */
function assertVectors(vectors, asked) {
  assert.deepEqual(
    vectors.map(([length]) => length),
    asked.map(({ length }) => length),
  );
}

/** OpenAI's service gives a PNG, Cloudflare's a JPEG. */
function assertPicture(bytes, service) {
  const begin = Buffer.from(bytes).subarray(0, 3).toString("latin1");
  assert.equal(begin, service === "openai" ? "\x89PN" : "\xff\xd8\xff");
}

/** A model that is not there, an answer that the engine refuses to give, a quota that is used up. */
async function assertErrors({ ask, statusOf, service }) {
  const failing = async (/** @type {number} */ status, message, prompt, options = {}) => {
    await assert.rejects(ask(prompt, options), (error) => {
      assert.equal(statusOf(error), status, String(error));
      assert.match(error.message, message);
      return true;
    });
  };
  await failing(404, /no-such-model/, saying(), { model: "no-such-model" });
  const refused = scripted("400");
  await failing(400, service === "openai" ? /Scripted/ : /error code: 1105/, refused);
  assert.equal(await timesAsked(refused, service), 1);
  await failing(429, /neurons/, saying(), { isSpent: true });
}

/** For an error of the client, and no slip of its code. @returns {null} */
function reported(error) {
  if (error instanceof TypeError) throw error;
  return null;
}

/** The odd answers of the engine. `isOlder`: in the form of older models, `{ response }`. */
function oddAnswers({ ask, stream, isOlder }) {
  const text = `text=${encodeURIComponent(said)}`;
  const all = EXPECTED.odd.filter(({ newer }) => !(isOlder && newer));
  return all.map(({ name, behaviour, streamed, fails, mayFail, ...expected }) => ({
    name,
    async use() {
      const prompt = scripted(`${text}&${behaviour}`);
      const answer = (streamed ? stream : ask)(prompt);
      if (fails) {
        await assert.rejects(answer, (error) => reported(error) === null);
        return;
      }
      const shown = await (mayFail ? answer.catch(reported) : answer);
      if (shown === null) return;
      for (const [field, value] of Object.entries({ text: said, ...expected })) {
        if (shown[field] !== undefined) assert.deepEqual(shown[field], value, field);
      }
      assert.equal(typeof shown.text, "string");
    },
  }));
}

/**
 * How a client does each feature. A client without a feature has no member for it.
 *
 * @typedef {object} Client
 * @property {"openai" | "cloudflare"} [service] the one that it calls
 * @property {(prompt: string, options?: { model?: string, isSpent?: boolean }) => Promise<Shown>} ask
 * @property {(prompt: string) => Promise<Shown>} stream
 * @property {(keyof Shown)[]} [shows] what it shows of each answer
 * @property {boolean} [isOlder] it reads the form of older models alone
 * @property {(error: any) => number | undefined} statusOf what it throws
 * @property {(() => Promise<unknown>)[]} [objects] each reads the object that the engine writes
 * @property {UseTools} [useTools]
 * @property {(texts: string[]) => Promise<number[][]>} [embed]
 * @property {(prompt: string) => Promise<Uint8Array>} [draw]
 * @property {(text: string) => Promise<Uint8Array | ArrayBuffer>} [speak]
 * @property {(recording: Buffer) => Promise<string>} [hear]
 * @property {(prompt: string, moderation: object) => Promise<Shown>} [askGuarded]
 * @property {Record<string, () => Promise<unknown>>} [own] by the feature: what else it can do there
 *
 * @typedef {(
 *   prompt: string, weather: (asked: { city: string }) => string, isStreamed: boolean,
 * ) => Promise<string>} UseTools
 */

/** What each feature must give, of those that a client has. */
const checksOf = (/** @type {Client} */ client) => {
  const { service = "openai", shows = ["text", "finish", "usage"], own: _, ...does } = client;
  const { ask, stream, objects, useTools, embed, draw, speak, hear, askGuarded } = does;
  return {
    text: async () => assertSaid(await ask(saying()), shows),
    stream: async () => assertSaid(await stream(saying()), shows),
    objects:
      objects &&
      (async () => {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        for (const read of objects) assertWeather(await read());
      }),
    tools:
      useTools &&
      (async () => {
        await assertTools(useTools, service);
        await assertTools(useTools, service, "&no_ids");
      }),
    embeddings: embed && (async () => assertVectors(await embed(texts(150)), texts(150))),
    images: draw && (async () => assertPicture(await draw("A red boat"), service)),
    speech: speak && (async () => assert.ok(Buffer.from(await speak("Hello")).length > 400)),
    transcription: hear && (async () => assert.equal(await hear(wav(1000, "")), heard)),
    guard:
      askGuarded &&
      (async () => {
        const prompt = `${rude} ${saying()}`;
        const { text, finish } = await askGuarded(prompt, MODERATION);
        assert.deepEqual([text, finish], ["", "content_filter"]);
        assert.equal(await timesAsked(prompt, service), 0);
      }),
    errors: () => assertErrors({ ...does, service }),
  };
};

/** The features of a client, to be driven. */
export function featuresOf(/** @type {Client} */ client) {
  const { own = {}, ask, stream, isOlder = false } = client;
  const checks = checksOf(client);
  const names = [...new Set([...Object.keys(checks), ...Object.keys(own)])];
  const uses = names.flatMap((name) => {
    const all = [checks[name], own[name]].filter((use) => use !== undefined);
    const use = async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const one of all) await one();
    };
    return all.length === 0 ? [] : [[name, use]];
  });
  return { ...Object.fromEntries(uses), odd: oddAnswers({ ask, stream, isOlder }) };
}
