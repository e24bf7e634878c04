// Readers of long replies that do not read: what they hold of memory has a bound, whoever they are, and
// the calls of others go on.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { build, Workerd } from "../../bench/workerd.mjs";
import { send } from "../e2e/server.mjs";

const MODEL = "@cf/baai/bge-m3";
const TEXTS = 2048;
const READERS = 8;

/** Two such calls fit into the memory for bodies. Measured: 107 MB; eight of 1,000 texts once took 287 MB. */
const MOST_GROWN_MB = 200;

/** Less than the three minutes that any reader may take. */
const GIVEN_WAY_MS = 90_000;

const dir = mkdtempSync(join(tmpdir(), "neurogate-replies-"));
let server;
let key = "";

before(async () => {
  server = new Workerd(dir, await build(join(dir, "bundle")), {
    INFERENCE: "embedded",
  });
  await server.start();
  const admin = async (method, path, body) => {
    const reply = await send(server.url, method, path, { key: server.adminToken, body });
    assert.ok(reply.status < 300, `${method} ${path}: ${JSON.stringify(reply.body)}`);
    return reply;
  };
  const settings = { plan: "paid", daily_neurons: 1_000_000, overage_cap_neurons: 0 };
  await admin("PUT", "/admin/tenants/readers", settings);
  ({ key } = (await admin("POST", "/admin/tenants/readers/keys", { role: "call" })).body);
});
after(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A reader that takes the head of the reply and no more of it. */
function stuckReader(body) {
  const { port, hostname } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const status = new Promise((resolve) => {
    socket.once("data", (data) => {
      socket.pause();
      resolve(Number(data.toString("latin1").slice(9, 12)));
    });
  });
  socket.on("error", () => undefined);
  socket.write(
    `POST /v1/embeddings HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return { status, leave: () => socket.destroy() };
}

const isLinux = process.platform === "linux";

test("readers that do not read hold a bounded part of memory", { skip: !isLinux }, async () => {
  // Of many words, so that the numbers of the vectors are long.
  const words = Array.from({ length: 3000 }, (_, at) => `w${(at * 7919) % 9973}x`);
  const input = Array.from({ length: TEXTS }, (_, at) =>
    Array.from({ length: 120 }, (_word, place) => words[(at * 31 + place * 17) % 3000]).join(" "),
  );
  const embed = (some) =>
    send(server.url, "POST", "/v1/embeddings", { key, body: { model: MODEL, input: some } });
  assert.equal((await embed(input.slice(0, 10))).status, 200);
  const idle = server.rss();
  const readers = Array.from({ length: READERS }, () =>
    stuckReader(JSON.stringify({ model: MODEL, input })),
  );
  const statuses = await Promise.all(readers.map(({ status }) => status));
  const served = statuses.filter((status) => status === 200).length;
  assert.ok(served >= 1 && served < READERS, `${served} were served at once`);
  assert.ok(statuses.every((status) => status === 200 || status === 503));
  const grownMb = (server.rss() - idle) / 1_048_576;
  assert.ok(grownMb < MOST_GROWN_MB, `${grownMb.toFixed(0)} MB`);
  // A small call goes on beside them, and a large one takes the place of a reader that is too slow.
  assert.equal((await embed(["hello"])).status, 200);
  // The system's buffers have taken megabytes for a reader that read nothing.
  const deadlineMs = Date.now() + GIVEN_WAY_MS;
  let large = await embed(input.slice(0, 1500));
  while (large.status === 503 && Date.now() < deadlineMs) {
    // oxlint-disable-next-line no-await-in-loop -- as a client tries again
    await sleep(1000);
    // oxlint-disable-next-line no-await-in-loop
    large = await embed(input.slice(0, 1500));
  }
  assert.equal(large.status, 200, JSON.stringify(large.body).slice(0, 300));
  assert.equal(large.body.data.length, 1500);
  for (const { leave } of readers) leave();
});
