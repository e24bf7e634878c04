// Chat sessions on a real server: the examples of docs/sessions.md as they stand there, and kill -9
// in the middle of eight messages.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startFakeOpenAi } from "../fakes/openai-server.mjs";
import { assertInvariants, MARKER, readAll, Server, sharedServer } from "./server.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(`${ROOT}docs/sessions.md`, "utf8");
const run = promisify(execFile);

const fake = await startFakeOpenAi();
const embedded = sharedServer();
const served = new Server({
  INFERENCE: "openai",
  OPENAI_BASE_URL: fake.url.href,
  OPENAI_MODEL: "llama3",
});
before(() => served.start());
after(() => served.stop());

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

/** The only block of that language on the page. */
function example(language) {
  const blocks = [...PAGE.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  const found = blocks.filter(([, name]) => name === language);
  assert.equal(found.length, 1, `examples in ${language}`);
  return found[0][2];
}

const environment = (key) => ({ ...process.env, URL: embedded.url, KEY: key });

test("plain curl, as documented", async () => {
  const key = await embedded.makeTenant("sessions-curl");
  const command = `set -euo pipefail\n${example("sh").replaceAll("\n\ncurl", "\necho\necho ---\ncurl")}`;
  const { stdout } = await run("bash", ["-c", command], { env: environment(key) });
  const [, first, streamed, listed, deleted] = stdout.split("\n---\n");
  const completion = JSON.parse(first);
  assert.equal(completion.object, "chat.completion");
  assert.equal(completion.neurogate.session.kept, true);
  assert.match(streamed, /^data: \{.*"object":"chat\.completion\.chunk"/);
  assert.match(streamed.trimEnd(), /data: \[DONE\]$/);
  const { data } = JSON.parse(listed);
  assert.deepEqual(
    data.map(({ role, turn }) => [role, turn]),
    [
      ["user", 1],
      ["assistant", 1],
      ["user", 2],
      ["assistant", 2],
    ],
  );
  assert.equal(data[0].content, "Which book is about whales?");
  assert.equal(data[1].content, completion.choices[0].message.content);
  assert.equal(deleted.trim(), "");
  const { id } = completion.neurogate.session;
  assert.equal((await embedded.send("GET", `/v1/sessions/${id}`, { key })).status, 404);
  const lines = await readAll(embedded.url, "/v1/ledger", key);
  assert.deepEqual(
    lines.map(({ session_id, user_id }) => [session_id, user_id]),
    [
      [id, "ada"],
      [id, "ada"],
    ],
  );
  await assertInvariants(embedded.url, key);
});

test("OpenAI's client, as documented", async () => {
  const key = await embedded.makeTenant("sessions-openai");
  const code = example("js");
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code], {
    cwd: ROOT,
    env: environment(key),
  });
  const [answer, ...streamed] = stdout.split("\n");
  assert.ok(answer.length > 0 && streamed.join("").length > 0, stdout);
  assert.deepEqual((await embedded.send("GET", "/v1/sessions", { key })).body.data, []);
  assert.equal((await readAll(embedded.url, "/v1/ledger", key)).length, 2);
});

test("OpenAI's own conversations are not served, and sessions are named", async () => {
  const key = await embedded.makeTenant("sessions-conversations");
  const { status, body } = await embedded.send("POST", "/v1/conversations", { key, body: {} });
  assert.equal(status, 404);
  assert.ok(body.error.nearby.includes("/v1/sessions"), JSON.stringify(body.error));
});

const ANSWER = Array.from({ length: 30 }, (_, at) => `w${at}`).join(" ");

/** Sends a message and reads its stream. @returns what it said, and whether it came to its end */
async function say(key, id, content) {
  const response = await fetch(`${served.url}/v1/sessions/${id}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({
      messages: [{ role: "user", content }],
      max_tokens: 40,
      stream: true,
    }),
  });
  if (response.status !== 200) return { status: response.status, done: false };
  const text = await response.text();
  return { status: 200, done: text.trimEnd().endsWith("data: [DONE]") };
}

test(
  "kill -9 among eight messages loses none that was answered",
  { timeout: 120_000 },
  async () => {
    const key = await served.makeTenant("sessions-killed");
    const made = await served.send("POST", "/v1/sessions", { key, body: { model: LLAMA } });
    const { id } = made.body;
    const path = `/v1/sessions/${id}`;
    // Every prompt has the first message in it, and so its behaviour.
    const contents = Array.from(
      { length: 8 },
      (_, at) => `Message ${at} ${MARKER} [[fake:words=30&pace=10|${crypto.randomUUID()}]]`,
    );
    const inLine = async () => (await served.send("GET", path, { key })).body.in_line;
    const answered = [];
    const sent = [];
    for (const [at, content] of contents.entries()) {
      const reply = say(key, id, content).then(
        ({ done }) => done && answered.push(content),
        () => false,
      );
      sent.push(reply);
      // oxlint-disable-next-line no-await-in-loop -- in this order
      while (answered.length === 0 && (await inLine()) < at + 1) await sleep(2);
    }
    while (answered.length < 3) {
      // oxlint-disable-next-line no-await-in-loop -- until three were answered
      await sleep(5);
    }
    await served.kill();
    await Promise.all(sent);
    await served.start();

    const kept = async () => {
      const { data } = (await served.send("GET", `${path}/messages?limit=200`, { key })).body;
      assert.ok(data.every(({ content }, at) => at % 2 === 0 || content === ANSWER));
      return data.filter(({ role }) => role === "user").map(({ content }) => content);
    };
    const left = await kept();
    assert.equal(await inLine(), 0);
    // The first ones, in their order, and all of those whose answers arrived.
    assert.deepEqual(left, contents.slice(0, left.length));
    assert.deepEqual(answered, contents.slice(0, answered.length));
    assert.ok(left.length >= answered.length && left.length < 8, `${left.length} are kept`);

    for (const content of contents.slice(left.length)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.deepEqual(await say(key, id, content), { status: 200, done: true });
    }
    assert.deepEqual(await kept(), contents);
    await assertInvariants(served.url, key);
  },
);
