// The pages beside the API, as the real server sends them: with a policy that lets nothing in from
// elsewhere, and without taking a path from the API.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedServer } from "./server.mjs";

const server = sharedServer();

/** What every page says of itself, whatever else its policy allows. */
const PAGE_HEADERS = {
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache",
};

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The document's page makes no pictures of its own; otherwise the same. */
const DOCS_POLICY = POLICY.replace(" blob:", "");

function assertHeaders({ headers }, expected) {
  const found = Object.keys(expected).map((name) => [name, headers.get(name)]);
  assert.deepEqual(Object.fromEntries(found), expected);
}

/** What a page loads: every `src` and `href` of its own. */
const loaded = (/** @type {string} */ html) =>
  [...html.matchAll(/<(?:script|link|img)[^>]*\s(?:src|href)="([^"]+)"/g)].map(([, path]) => path);

const PAGES = { "/": POLICY, "/docs": DOCS_POLICY };

for (const [path, policy] of Object.entries(PAGES)) {
  test(`${path} is a page with a strict policy`, async () => {
    const page = await server.send("GET", path);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type"), /^text\/html/);
    assertHeaders(page, { ...PAGE_HEADERS, "content-security-policy": policy });
    assert.doesNotMatch(page.body, /<style|<script(?![^>]*\ssrc=)|\son\w+=|javascript:/);
  });
}

test("what it loads is of this server, and is kept by its hash", async () => {
  const bodies = [await server.send("GET", "/"), await server.send("GET", "/docs")];
  const paths = bodies.flatMap(({ body }) => loaded(body));
  assert.ok(paths.length >= 5);
  for (const path of paths) {
    assert.match(path, /^\/assets\/[\w-]+-[\w-]{8}\.(?:js|css|svg)$/);
    // oxlint-disable-next-line no-await-in-loop -- in order, so that a failure names its cause
    const file = await server.send("GET", path);
    assert.equal(file.status, 200, path);
    assertHeaders(file, {
      "cache-control": "public, max-age=31536000, immutable",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
    });
  }
});

test("no path of the API is a page's", async () => {
  const expected = {
    "/healthz": [200, "application/json"],
    "/openapi.json": [200, "application/json"],
    "/v1/limits": [401, "application/problem+json"],
    "/v1/models": [401, "application/json"],
    "/admin/tenants": [401, "application/problem+json"],
    "/admin": [404, "application/problem+json"],
    "/client/v4/accounts/acme/ai/v1/models": [401, "application/json"],
    "/docs.html": [404, "application/problem+json"],
    "/docs/x": [404, "application/problem+json"],
    "/index.html": [404, "application/problem+json"],
    "/_headers": [404, "application/problem+json"],
    "/assets": [404, "application/problem+json"],
    "/console": [404, "application/problem+json"],
  };
  for (const [path, [status, type]] of Object.entries(expected)) {
    // oxlint-disable-next-line no-await-in-loop -- in order, so that a failure names its cause
    const reply = await server.send("GET", path);
    assert.deepEqual([path, reply.status, reply.headers.get("content-type")], [path, status, type]);
    assert.match(reply.headers.get("x-request-id"), /^req_/, path);
  }
});

test("what is no page is not answered with one", async () => {
  for (const path of ["/assets/none.js", "/assets/", "/assets/_headers", "/assets/index.html"]) {
    // oxlint-disable-next-line no-await-in-loop -- as above
    assert.equal((await server.send("GET", path)).status, 404, path);
  }
  assert.equal((await server.send("POST", "/", { body: {} })).status, 405);
});
