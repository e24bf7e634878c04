// Pictures at other sizes on a real server: the examples of docs/generation.md as they stand there, one
// transformation for all who ask at once, kept over kill -9, and gone with the person.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readPicture } from "../../src/engines/picture.ts";
import { assertInvariants, MARKER, Server } from "./server.mjs";

const PAGE = readFileSync(
  fileURLToPath(new URL("../../docs/generation.md", import.meta.url)),
  "utf8",
);

/** The two examples of the section. */
const EXAMPLES = [...PAGE.matchAll(/```sh\n(curl[^`]*\/v1\/images\/\$ID[^`]*)```/g)].map(
  ([, command]) => command,
);

const PERSON = `person-${MARKER}`;

const server = new Server();
const folder = mkdtempSync(join(tmpdir(), "variants-"));
let key;
let id;
before(async () => {
  await server.start();
  key = await server.makeTenant("gallery");
  const body = { prompt: `A quiet lake, ${MARKER}`, user_id: PERSON };
  const { status, body: made } = await server.send("POST", "/v1/images", { key, body });
  assert.equal(status, 200, JSON.stringify(made));
  id = made.data[0].id;
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const get = (/** @type {string} */ query, headers = {}) =>
  fetch(`${server.url}/v1/images/${id}?${query}`, {
    headers: { Authorization: `Bearer ${key}`, ...headers },
  });

const run = (/** @type {string} */ command) =>
  promisify(execFile)("bash", ["-c", `set -euo pipefail\n${command}`], {
    cwd: folder,
    env: { ...process.env, URL: server.url, KEY: key, ID: id },
  });

/** Of its box `ispe`: after the name four bytes of flags, then the two sides. */
function avifSize(/** @type {Buffer} */ bytes) {
  assert.equal(bytes.subarray(4, 12).toString(), "ftypavif");
  const at = bytes.indexOf("ispe");
  return [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
}

const transformations = async () =>
  (await server.send("GET", "/v1/transformations", { key })).body.transformations;

test("the examples of the page do what it says", async () => {
  const [download, link] = EXAMPLES;
  assert.equal(EXAMPLES.length, 2);
  await run(download);
  const { format, width, height } = readPicture(readFileSync(join(folder, "picture.webp")));
  assert.deepEqual([format, width, height], ["webp", 640, 360]);
  const { stdout } = await run(link);
  const { url } = JSON.parse(stdout);
  const opened = await fetch(url, { headers: { Accept: "image/avif,*/*" } });
  assert.equal(opened.headers.get("content-type"), "image/avif");
  assert.deepEqual(avifSize(Buffer.from(await opened.arrayBuffer())), [640, 640]);
  const other = await fetch(url.replace("width=640", "width=64"));
  assert.equal(other.status, 404);
});

test("a browser's picture is AVIF, a plain reader's is as it was made", async () => {
  const asBrowser = await get("width=100", { Accept: "image/avif,image/webp,image/*,*/*;q=0.8" });
  assert.equal(asBrowser.headers.get("content-type"), "image/avif");
  assert.match(asBrowser.headers.get("vary"), /Accept/);
  const plain = await get("width=100");
  assert.equal(plain.headers.get("content-type"), "image/png");
});

test("20 at once cost one transformation, and none after kill -9", async () => {
  const already = await transformations();
  const replies = await Promise.all(Array.from({ length: 20 }, () => get("width=200&format=png")));
  const bodies = await Promise.all(replies.map(async (reply) => await reply.arrayBuffer()));
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
  assert.equal(new Set(bodies.map((body) => Buffer.from(body).toString("base64"))).size, 1);
  assert.equal(await transformations(), already + 1);
  await server.kill();
  await server.start();
  const again = await get("width=200&format=png");
  assert.deepEqual(Buffer.from(await again.arrayBuffer()), Buffer.from(bodies[0]));
  assert.equal(await transformations(), already + 1);
});

test("a person's variants go with them", { timeout: 120_000 }, async () => {
  const body = { user_id: PERSON };
  let { body: erasure } = await server.send("POST", "/v1/erasures", { key, body });
  while (erasure.state !== "done") {
    // oxlint-disable-next-line no-await-in-loop -- until it is done
    await sleep(100);
    // oxlint-disable-next-line no-await-in-loop
    erasure = (await server.send("GET", `/v1/erasures/${erasure.id}`, { key })).body;
  }
  for (const query of ["width=200&format=png", ""]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal((await get(query)).status, 404);
  }
  await assertInvariants(server.url, key);
});
