// `npm start` as its users meet it: what it prints works, a second start keeps everything, and
// however it is ended nothing of it is left. Run by `npm run test:start`, on Node's own runner,
// since it starts and ends real processes.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processes } from "./processes.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STATE_DIR = mkdtempSync(join(tmpdir(), "neurogate-start-"));

const READY_MS = 90_000;
/** The start script looks for npm twice a second, and gives wrangler five seconds to end. */
const END_MS = 15_000;

/** Stands in all that is moderated here. A word of no language. */
const MARKER = "qzvkontent";

/** The last line that `npm start` prints by itself. */
const LAST_LINE = "Stop with Ctrl-C.\n";

/** Every process that was ever started here. */
const started = new Map();

/** What each `npm start` has printed. @type {string[]} */
const outputs = [];

after(() => {
  for (const left of alive([...started.values()])) process.kill(left.pid, "SIGKILL");
  rmSync(STATE_DIR, { recursive: true, force: true });
});

/** Runs `npm start` until it has printed its last line, or has ended. */
async function npmStart(port = "0") {
  const { INFERENCE: _, ...environment } = process.env;
  const npm = spawn("npm", ["start"], {
    cwd: ROOT,
    env: { ...environment, PORT: port, NEUROGATE_STATE_DIR: STATE_DIR },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(npm, "exit").then(([code, signal]) => signal ?? code);
  const at = outputs.push("") - 1;
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on("data", (text) => (outputs[at] += text));
  }
  const deadlineMs = Date.now() + READY_MS;
  while (!outputs[at].includes(LAST_LINE) && npm.exitCode === null) {
    remember(npm.pid);
    assert.ok(Date.now() < deadlineMs, `npm start was not ready in time:\n${outputs[at]}`);
    await sleep(100);
  }
  const output = outputs[at];
  const url = /^ {2}URL +(\S+)/m.exec(output)?.[1] ?? "";
  return { npm, exited, output, url, family: remember(npm.pid) };
}

/** The process and all below it. */
function remember(root) {
  const all = processes();
  const family = all.filter((each) => each.pid === root);
  for (const member of family) family.push(...all.filter((each) => each.parent === member.pid));
  for (const member of family) started.set(member.pid, member);
  return family;
}

/** Those that still run: the same process, and not a zombie that nobody has buried. */
function alive(family) {
  const now = new Map(processes().map((each) => [each.pid, each]));
  return family.filter(({ pid, command }) => now.get(pid)?.command === command);
}

/** How it ended; one that serves instead is not waited for. */
const ended = ({ exited }) => Promise.race([exited, sleep(END_MS, "it goes on")]);

async function assertAllGone({ family, url }) {
  const deadlineMs = Date.now() + END_MS;
  while (alive(family).length > 0 && Date.now() < deadlineMs) await sleep(100);
  assert.deepEqual(alive(family), []);
  const probe = createServer();
  probe.listen(Number(new URL(url).port), "127.0.0.1");
  await once(probe, "listening");
  probe.close();
}

/** What the printed curl line does, on machines without curl too. */
async function paste(output) {
  const line = /^ {2}curl -s (\S+) -H "(.+?): (.+?)" -H "(.+?): (.+?)" -d '(.+)'$/m.exec(output);
  assert.ok(line, `No curl line in:\n${output}`);
  const [, url, name, value, otherName, otherValue, body] = line;
  const headers = { [name]: value, [otherName]: otherValue };
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  assert.ok(response.ok, `${response.status}: ${text}`);
  return { verdict: JSON.parse(text), authorization: value };
}

test("npm start", { timeout: 300_000 }, async (t) => {
  let first;
  let verdict;

  await t.test("prints a request that returns a verdict", async () => {
    first = await npmStart();
    assert.match(first.output, /^Judged here: English text .+ other languages, .+ are not/m);
    const reply = await paste(first.output);
    verdict = reply.verdict;
    assert.equal(verdict.object, "verdict");
    assert.match(verdict.id, /^vrd_/);
    assert.ok(first.family.length >= 5, "wrangler, esbuild and two workerd");
  });

  await t.test("serves the console, with its policy", { skip: !first }, async () => {
    const page = await fetch(first.url);
    assert.match(await page.text(), /<title>Neurogate<\/title>/);
    assert.match(page.headers.get("content-security-policy"), /^default-src 'none'; script-src/);
  });

  await t.test("keeps secrets from other users", { skip: !first }, () => {
    for (const file of [".dev.vars", ".neurogate/demo-key"]) {
      assert.equal(statSync(join(STATE_DIR, file)).mode & 0o777, 0o600, file);
    }
  });

  await t.test("says when the port is taken", { skip: !first }, async () => {
    const second = await npmStart(new URL(first.url).port);
    assert.equal(await ended(second), 1);
    assert.match(second.output, /Port \d+ of 127\.0\.0\.1 is taken/);
  });

  await t.test("does not serve the same data twice", { skip: !first }, async () => {
    const second = await npmStart();
    assert.equal(await ended(second), 1);
    assert.match(second.output, /Another Neurogate serves this data already, at (\S+)\.$/m);
    assert.equal((await fetch(`${first.url}/healthz`)).status, 200, "the first goes on");
  });

  await t.test("answers what is sent to it", { skip: !first }, async () => {
    const body = { text: `You idiot, ${MARKER}`, user_id: MARKER };
    assert.equal((await post(first, body)).status, 200);
    assert.equal((await post(first, { [MARKER]: MARKER })).status, 400);
    assert.equal((await post(first, `{"${MARKER}`)).status, 400);
    assert.equal((await post(first, body, `${keyOf(first)}${MARKER}`)).status, 401);
  });

  await t.test("ends with npm: SIGTERM to it alone", { skip: !first }, async () => {
    first.npm.kill("SIGTERM");
    assert.equal(await first.exited, 0);
    await assertAllGone(first);
  });

  await t.test("keeps the key and the data; ends with npm: SIGKILL", { skip: !first }, async () => {
    const second = await npmStart();
    assert.equal(keyOf(second), keyOf(first));
    const response = await fetch(`${second.url}/v1/verdicts/${verdict.id}`, {
      headers: { authorization: `Bearer ${keyOf(second)}` },
    });
    assert.equal(response.status, 200);
    second.npm.kill("SIGKILL");
    await assertAllGone(second);
  });

  await t.test("ends with npm: SIGINT to it alone", { skip: !first }, async () => {
    const third = await npmStart();
    third.npm.kill("SIGINT");
    assert.equal(await third.exited, 0);
    await assertAllGone(third);
  });

  await t.test("ends when the whole foreground group is killed", { skip: !first }, async () => {
    const fourth = await npmStart();
    process.kill(-Number(fourth.npm.pid), "SIGKILL");
    await assertAllGone(fourth);
  });

  await t.test("prints its key and token once, and nothing of what is moderated", () => {
    const secrets = readFileSync(join(STATE_DIR, ".dev.vars"), "utf8").match(/(?<==).+$/gm);
    assert.equal(secrets.length, 2);
    const hidden = [MARKER, keyOf(first), ...secrets];
    for (const output of outputs) {
      const [greeting, ...later] = output.split(LAST_LINE);
      assert.ok(!greeting.includes(MARKER));
      for (const text of hidden) assert.ok(!later.join().includes(text), "printed later on");
    }
    const [keySecret] = secrets;
    assert.ok(!outputs.join().includes(keySecret), "the secret that signs keys was printed");
  });
});

function post({ url, output }, body, key = keyOf({ output })) {
  return fetch(`${url}/v1/verdicts`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

function keyOf({ output }) {
  return /^ {2}Key +(\S+)$/m.exec(output)?.[1];
}
