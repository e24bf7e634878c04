// A page of another origin, in a browser: with a key of role `score` it may analyze comments, and nothing else.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Browser, NO_BROWSER } from "./browser.mjs";
import { sharedServer } from "./server.mjs";

const skip = NO_BROWSER;
const server = sharedServer();
const browser = new Browser();
const site = createServer((_, reply) => {
  reply.setHeader("content-type", "text/html");
  reply.end("<!doctype html><title>A forum</title>");
});

let page;
const keys = {};

before(async () => {
  if (skip) return;
  const manage = await server.makeTenant("cross-origin");
  for (const role of ["score", "call"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const made = await server.send("POST", "/v1/keys", { key: manage, body: { role } });
    keys[role] = made.body.key;
  }
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  await browser.start();
  page = await browser.open();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
});
after(async () => {
  await browser.stop();
  site.closeAllConnections();
  site.close();
});

/** What a script of the page gets: the status and body of a reply, or null where the browser hides it. */
const fetched = (path, { method = "POST", headers = {}, body = null } = {}) =>
  page.evaluate(
    async ([url, init]) => {
      try {
        const reply = await fetch(url, init);
        return { status: reply.status, body: await reply.json() };
      } catch {
        return null;
      }
    },
    [
      `${server.url}${path}`,
      {
        method,
        headers: { ...(body !== null && { "content-type": "application/json" }), ...headers },
        ...(body !== null && { body: JSON.stringify(body) }),
      },
    ],
  );

const COMMENT = {
  comment: { text: "Thank you all for the lovely evening in our garden." },
  requestedAttributes: { TOXICITY: {} },
};

test("a page of another origin analyzes with a score key", { skip }, async (t) => {
  await t.test("in the address", async () => {
    const reply = await fetched(`/v1alpha1/comments:analyze?key=${keys.score}`, { body: COMMENT });
    assert.equal(reply?.status, 200);
    assert.ok(reply.body.attributeScores.TOXICITY.summaryScore.value < 0.3);
  });

  await t.test("in a header", async () => {
    const reply = await fetched("/v1alpha1/comments:analyze", {
      headers: { "x-goog-api-key": keys.score },
      body: COMMENT,
    });
    assert.equal(reply?.status, 200);
  });

  await t.test("and reads why a comment was refused", async () => {
    const body = { ...COMMENT, comment: { text: " " } };
    const reply = await fetched(`/v1alpha1/comments:analyze?key=${keys.score}`, { body });
    assert.equal(reply?.status, 400);
    assert.equal(reply.body.error.message, "Comment must be non-empty.");
  });
});

/** @type {readonly [method: string, path: string, body: object | null][]} */
const OTHERS = [
  ["POST", "/v1/verdicts", { text: "hello" }],
  ["POST", "/v1/chat/completions", { model: "m", messages: [{ role: "user", content: "hello" }] }],
  ["GET", "/v1/limits", null],
  ["GET", "/v1/keys", null],
  ["DELETE", "/v1/sessions/ses_01M7WM9VDG3WVTE8T1RYS3AM18", null],
];

test("a page of another origin gets nothing else", { skip }, async (t) => {
  for (const [method, path, body] of OTHERS) {
    for (const role of ["score", "call"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await t.test(`${method} ${path} with a ${role} key`, async () => {
        const headers = { authorization: `Bearer ${keys[role]}` };
        assert.equal(await fetched(path, { method, headers, body }), null);
      });
    }
  }

  await t.test("with a key of more rights", async () => {
    const inAddress = await fetched(`/v1alpha1/comments:analyze?key=${keys.call}`, {
      body: COMMENT,
    });
    assert.equal(inAddress?.status, 400);
    assert.match(inAddress.body.error.message, /API key not valid/);
    const headers = { "x-goog-api-key": keys.call };
    const inHeader = await fetched("/v1alpha1/comments:analyze", { headers, body: COMMENT });
    assert.equal(inHeader?.status, 400);
  });
});
