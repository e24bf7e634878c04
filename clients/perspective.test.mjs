// Clients of the Perspective API against a real server: the packages themselves, and requests as other
// programs make them. A test whose language is not installed is skipped and says so:
// `npm run test:clients`.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { installFolder } from "../scripts/install-folder.mjs";
import { Server } from "../test/e2e/server.mjs";
import { HERE, isThere, python, run } from "./languages.mjs";

const RUDE = "You are a stupid idiot and nobody likes you.";
const KIND = "Thank you all for the lovely evening in our garden.";
const SPANISH = "No me gusta nada lo que has dicho esta tarde en la plaza.";

const LONG = "kind ".repeat(21_000);
const NO_LANGUAGE = "qzx vrrk plomf zwerk trunq";

const server = new Server();
const require = createRequire(join(HERE, "package.json"));

/** @type {string} of role `score` */
let key;
/** @type {string} */
let manageKey;

before(async () => {
  if (!installFolder("clients")) {
    throw new Error("The packages of clients/ could not be installed.");
  }
  await server.start();
  manageKey = await server.makeTenant("forum", { rpm: { requests: 600 } });
  const made = await server.send("POST", "/v1/keys", { key: manageKey, body: { role: "score" } });
  key = made.body.key;
});
after(() => server.stop());

const scoreOf = (reply, name = "TOXICITY") => reply.attributeScores[name].summaryScore.value;

test("perspective-api-client, whose address stands in its code", async () => {
  const axios = createRequire(require.resolve("perspective-api-client"))("axios");
  const asked = [];
  const toServer = axios.interceptors.request.use((config) => {
    asked.push(config.url);
    return {
      ...config,
      url: config.url.replace("https://commentanalyzer.googleapis.com", server.url),
    };
  });
  try {
    const Perspective = require("perspective-api-client");
    const client = new Perspective({ apiKey: key });
    assert.ok(scoreOf(await client.analyze(RUDE)) > 0.7);
    assert.ok(scoreOf(await client.analyze(KIND)) < 0.3);
    const several = await client.analyze(`<b>${RUDE}</b>`, {
      attributes: ["toxicity", "insult", "profanity"],
    });
    assert.deepEqual(Object.keys(several.attributeScores).toSorted(), [
      "INSULT",
      "PROFANITY",
      "TOXICITY",
    ]);
    assert.ok(asked.every((url) => url.endsWith("/v1alpha1/comments:analyze")));

    const refusals = [
      [
        () => client.analyze(RUDE, { attributes: ["flirtation"] }),
        400,
        /Unknown requested attribute/,
      ],
      [() => client.analyze(SPANISH), 400, /does not support request languages: es/],
      [() => client.analyze("", { validate: false }), 400, /Comment must be non-empty\./],
      [() => client.analyze(LONG, { validate: false }), 400, /Comment text too long\./],
      [() => client.analyze(NO_LANGUAGE), 400, /Unable to detect language/],
      [() => client.analyze("x", { attributes: [] }), 400, /Missing requested_attributes/],
      [() => new Perspective({ apiKey: `${key}x` }).analyze(RUDE), 400, /API key not valid/],
      // A key with more rights than these methods need is refused in an address.
      [() => new Perspective({ apiKey: manageKey }).analyze(RUDE), 400, /API key not valid/],
    ];
    for (const [ask, status, message] of refusals) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await assert.rejects(ask, (error) => {
        assert.equal(error.name, "ResponseError");
        assert.equal(error.response.status, status);
        assert.match(error.message, message);
        return true;
      });
    }
  } finally {
    axios.interceptors.request.eject(toServer);
  }
});

/** Google's generated client for Node. @param {string | undefined} auth undefined: without a key */
async function googleClient(auth) {
  const { Discovery } = require("googleapis-common");
  const discover = new Discovery({ debug: false, includePrivate: false });
  const make = await discover.discoverAPI(`${server.url}/$discovery/rest?version=v1alpha1`);
  return make(auth === undefined ? {} : { auth }, {});
}

test("Google's generated client for Node", async () => {
  const client = await googleClient(key);
  const { data } = await client.comments.analyze({
    requestBody: {
      comment: { text: `${KIND} ${RUDE}` },
      requestedAttributes: { TOXICITY: {} },
      spanAnnotations: true,
      languages: ["en"],
    },
  });
  const spans = data.attributeScores.TOXICITY.spanScores;
  assert.equal(spans.length, 2);
  assert.ok(spans[0].score.value < 0.3 && spans[1].score.value > 0.7);
  await assert.rejects(
    client.comments.analyze({
      requestBody: { comment: { text: SPANISH }, requestedAttributes: { TOXICITY: {} } },
    }),
    (error) => {
      assert.equal(error.response.status, 400);
      const [detail] = error.response.data.error.details;
      assert.equal(detail.errorType, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
      return true;
    },
  );
  const suggested = await client.comments.suggestscore({
    requestBody: {
      comment: { text: RUDE },
      attributeScores: { TOXICITY: { summaryScore: { value: 1 } } },
      clientToken: "node",
    },
  });
  assert.equal(suggested.data.clientToken, "node");
});

const asked = (comment, more = {}) => ({
  comment,
  requestedAttributes: { TOXICITY: {} },
  ...more,
});

const KIND_TEXT = { text: KIND };
const PERCENTILE = { requestedAttributes: { TOXICITY: { scoreType: "PERCENTILE" } } };

/** @type {readonly [errorType: string, message: RegExp, body: object][]} */
const REFUSALS = [
  ["COMMENT_EMPTY", /^Comment must be non-empty\.$/, asked({ text: " " })],
  ["COMMENT_TOO_LONG", /^Comment text too long\.$/, asked({ text: LONG })],
  ["NO_REQUESTED_ATTRIBUTES", /^Missing requested_attributes$/, { comment: KIND_TEXT }],
  ["LANGUAGE_DETECTION_FAILED", /^Unable to detect language$/, asked({ text: NO_LANGUAGE })],
  [
    "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
    /^Attribute TOXICITY does not support request languages: es$/,
    asked({ text: SPANISH }),
  ],
  [
    "INVALID_REQUEST",
    /^Unknown requested attribute: FLIRTATION$/,
    asked(KIND_TEXT, { requestedAttributes: { FLIRTATION: {} } }),
  ],
  [
    "INVALID_REQUEST",
    /^Requested score type PERCENTILE is not supported by attribute TOXICITY$/,
    asked(KIND_TEXT, PERCENTILE),
  ],
  ["INVALID_REQUEST", /^Unknown text type$/, asked({ text: KIND, type: "MARKDOWN" })],
  [
    "INVALID_REQUEST",
    /^Context can have either entries or article_and_parent_comment, but both fields/,
    asked(KIND_TEXT, { context: { entries: [], articleAndParentComment: {} } }),
  ],
];

const refusalOf = async (by, requestBody) => {
  const request = by.comments.analyze({ requestBody });
  const error = await request.then(
    () => assert.fail("It was not refused."),
    (reason) => reason,
  );
  return { status: error.response.status, error: error.response.data.error };
};

test("each refusal, by Google's generated client for Node", async (t) => {
  const client = await googleClient(key);
  for (const [errorType, message, body] of REFUSALS) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await t.test(`${errorType}: ${message.source}`, async () => {
      const { status, error } = await refusalOf(client, body);
      assert.equal(status, 400);
      assert.equal(error.status, "INVALID_ARGUMENT");
      assert.match(error.message, message);
      assert.equal(error.details[0].errorType, errorType);
    });
  }

  await t.test("a key that is not ours", async () => {
    const { status, error } = await refusalOf(await googleClient(`${key}x`), asked(KIND_TEXT));
    assert.equal(status, 400);
    assert.equal(error.details[0].reason, "API_KEY_INVALID");
  });

  await t.test("no key", async () => {
    const { status, error } = await refusalOf(await googleClient(undefined), asked(KIND_TEXT));
    assert.deepEqual([status, error.status], [403, "PERMISSION_DENIED"]);
  });

  await t.test("a rate that is used up", async () => {
    const busy = await server.makeTenant("busy-forum", { rpm: { requests: 3 } });
    const made = await server.send("POST", "/v1/keys", { key: busy, body: { role: "score" } });
    const byBusy = await googleClient(made.body.key);
    await byBusy.comments.analyze({ requestBody: asked(KIND_TEXT) });
    const { status, error } = await refusalOf(byBusy, asked(KIND_TEXT));
    assert.deepEqual([status, error.status], [429, "RESOURCE_EXHAUSTED"]);
    assert.equal(error.details[0].reason, "RATE_LIMIT_EXCEEDED");
  });
});

const noPython = isThere("python3", "--version") ? false : "there is no python3";

test("Google's generated client for Python", { skip: noPython }, () => {
  const texts = [RUDE, KIND, SPANISH];
  const env = { ...process.env, ORIGIN: server.url, KEY: key, TEXTS: JSON.stringify(texts) };
  const printed = run(python(), ["python/perspective_client.py"], { env });
  const [rude, kind, spanish, suggested] = printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(scoreOf(rude) > 0.7 && scoreOf(rude, "INSULT") > 0.5);
  assert.ok(scoreOf(kind) < 0.3);
  assert.equal(spanish.status, 400);
  assert.equal(spanish.error.details[0].errorType, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
  assert.equal(suggested.clientToken, "python");
});

const post = (path, body, headers = {}) =>
  server.send("POST", path, { body, headers: { "content-type": "application/json", ...headers } });

test("requests as Coral, bots and 4cat make them", async () => {
  // Coral: one attribute, one language, a community.
  const coral = await post(`/v1alpha1/comments:analyze?key=${key}`, {
    comment: { text: RUDE },
    doNotStore: true,
    languages: ["en"],
    requestedAttributes: { TOXICITY: {} },
    communityId: "Coral:example.com",
  });
  assert.ok(scoreOf(coral.body) > 0.7);
  const approved = await post(`/v1alpha1/comments:suggestscore?key=${key}`, {
    comment: { text: KIND },
    attributeScores: { TOXICITY: { summaryScore: { value: 0 } } },
    languages: ["en"],
    communityId: "Coral:example.com",
    clientToken: "comment:1",
  });
  assert.deepEqual([approved.status, approved.body.clientToken], [200, "comment:1"]);

  // A Discord bot: the six production attributes, and the key in a header.
  const six = ["TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"];
  const bot = await post(
    "/v1alpha1/comments:analyze",
    {
      comment: { text: RUDE, type: "PLAIN_TEXT" },
      requestedAttributes: Object.fromEntries(six.map((name) => [name, {}])),
    },
    { "x-goog-api-key": key },
  );
  assert.deepEqual(Object.keys(bot.body.attributeScores).toSorted(), six.toSorted());

  // 4cat: experimental names and thresholds; the reply has nothing below them.
  const fourcat = await post(`/v1alpha1/comments:analyze?key=${key}`, {
    comment: { text: KIND },
    requestedAttributes: {
      TOXICITY_EXPERIMENTAL: { scoreType: "PROBABILITY", scoreThreshold: 0.9 },
      INSULT_EXPERIMENTAL: { scoreType: "PROBABILITY", scoreThreshold: 0 },
    },
    languages: ["en"],
  });
  assert.deepEqual(Object.keys(fourcat.body.attributeScores), ["INSULT_EXPERIMENTAL"]);

  // peRspective: names with underscores, as proto JSON has them, too.
  const snake = await post(`/v1alpha1/comments:analyze?key=${key}`, {
    comment: { text: RUDE },
    requested_attributes: { TOXICITY: { score_type: "PROBABILITY" } },
    do_not_store: true,
    span_annotations: true,
  });
  assert.ok(scoreOf(snake.body) > 0.7);
});

test("a page of another site may analyze, and nothing else", async () => {
  const origin = { origin: "https://forum.example.org" };
  const body = { comment: { text: KIND }, requestedAttributes: { TOXICITY: {} } };
  const scored = await post(`/v1alpha1/comments:analyze?key=${key}`, body, origin);
  assert.equal(scored.status, 200);
  assert.equal(scored.headers.get("access-control-allow-origin"), "*");
  for (const [method, path] of [
    ["POST", "/v1/verdicts"],
    ["GET", "/v1/limits"],
    ["GET", "/v1/keys"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const refused = await server.send(method, path, {
      key,
      headers: origin,
      ...(method === "POST" && { body: { text: KIND } }),
    });
    assert.equal(refused.status, 403, `${method} ${path}`);
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
  }
});
