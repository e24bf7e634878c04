// Webhook receivers in several languages against a real server: each accepts its own secret and no other.
// Types that are generated from the API's document fit real bodies. A test whose language is not
// installed is skipped and says so: `npm run test:clients`.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { installFolder } from "../scripts/install-folder.mjs";
import { Receiver } from "../test/e2e/receiver.mjs";
import { Server } from "../test/e2e/server.mjs";
import { goBinary, HERE, isThere, python, run } from "./languages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BODIES_MS = 30_000;

const scratch = mkdtempSync(join(tmpdir(), "neurogate-clients-"));
const server = new Server({ WEBHOOK_TARGETS: "any" });
/** @type {import("node:child_process").ChildProcess[]} */
const started = [];
/** @type {Receiver[]} */
const receivers = [];

before(async () => {
  if (!installFolder("clients"))
    throw new Error("The packages of clients/ could not be installed.");
  await server.start();
});
after(async () => {
  for (const one of receivers) one.stop();
  for (const child of started) child.kill("SIGKILL");
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const WITHOUT = {
  python: isThere("python3", "--version") ? false : "there is no python3",
  go: isThere("go", "version") ? false : "there is no go",
  java: isThere("javac", "--version") ? false : "there is no JDK",
};
for (const reason of Object.values(WITHOUT)) if (reason) console.log(`Skipped: ${reason}.`);

/** The receivers and their commands. */
const RECEIVERS = {
  Express: { command: () => [process.execPath, "express/receiver.mjs"], skip: false },
  "Express and svix": {
    command: () => [process.execPath, "express/svix-receiver.mjs"],
    skip: false,
  },
  FastAPI: { command: () => [python(), "python/fastapi_receiver.py"], skip: WITHOUT.python },
  Django: { command: () => [python(), "python/django_receiver.py"], skip: WITHOUT.python },
  Go: { command: () => [goBinary(join(HERE, "go"), join(scratch, "receiver"))], skip: WITHOUT.go },
  Java: { command: () => ["java", "java/Receiver.java"], skip: WITHOUT.java },
};

/** A free port. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}

async function subscribe(key, url, events = ["moderation.verdict"]) {
  const made = await server.send("POST", "/v1/webhooks", { key, body: { url, events } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

/** Starts a receiver; `accepted` are the events that it verified. */
async function start([command, ...args], port, secret) {
  const env = { ...process.env, PORT: String(port), WEBHOOK_SECRET: secret };
  const child = spawn(command, args, { cwd: HERE, env, stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const accepted = [];
  let isListening = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "listening") isListening = true;
    else if (line.startsWith("accepted ")) accepted.push(JSON.parse(line.slice(9)));
  });
  await until("the receiver", () => isListening || child.exitCode !== null);
  assert.equal(child.exitCode, null, `${command} ${args.join(" ")} did not start`);
  // The receiver may print "listening" a moment before it listens.
  await until("its port", async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    return answer !== null;
  });
  return accepted;
}

async function until(what, holds) {
  const endMs = Date.now() + BODIES_MS;
  // oxlint-disable-next-line no-await-in-loop -- until it has
  while (!(await holds())) {
    assert.ok(Date.now() < endMs, `${what} did not come`);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(50);
  }
}

for (const [name, { command, skip }] of Object.entries(RECEIVERS)) {
  test(`a receiver with ${name} believes its own secret, and no other`, { skip }, async () => {
    const key = await server.makeTenant(`with-${name.toLowerCase().replaceAll(" ", "-")}`);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/hooks`;
    const { id, secret } = await subscribe(key, url);
    const accepted = await start(command(), port, secret);
    const body = { text: "Nice to meet you 👋 – naïve?", content_id: "c-1" };
    const { body: verdict } = await server.send("POST", "/v1/verdicts", { key, body });
    await until("the delivery", () => accepted.length > 0);
    const { body: read } = await server.send("GET", `/v1/verdicts/${verdict.id}`, { key });
    assert.deepEqual(accepted[0].data, read);
    // From now on another secret signs, and the receiver must refuse its events.
    await server.send("POST", `/v1/webhooks/${id}/rotate`, { key, body: { overlap_s: 0 } });
    const tried = await server.send("POST", `/v1/webhooks/${id}/test`, { key });
    assert.equal(tried.body.attempts[0].status, 401);
    assert.equal(accepted.length, 1);
  });
}

/** Sends a request and returns the body of a successful reply. */
const control = (status, word) => (response) => {
  response.writeHead(status, { "webhook-delivery": word }).end("no, thank you");
  return false;
};

/** A body of each event that a tenant can cause at once, by the name of its schema. */
async function realBodies() {
  const key = await server.makeTenant("typed");
  const receiver = await new Receiver().start();
  receivers.push(receiver);
  const events = [
    "moderation.verdict",
    "moderation.review",
    "verdict_batch.completed",
    "webhook.disabled",
    "message.attempt.exhausted",
  ];
  const { id, secret } = await subscribe(key, receiver.url, events);
  receiver.verify = async (body, headers) => new Webhook(secret).verify(body, headers);
  const refusing = await new Receiver().start();
  receivers.push(refusing);
  refusing.answer = control(422, "abort-message");
  await subscribe(key, refusing.url);
  const text = "You are a worthless stupid idiot";
  const judge = () => server.send("POST", "/v1/verdicts", { key, body: { text } });
  const { body: verdict } = await judge();
  await until("the refusal", () => refusing.asked > 0);
  refusing.answer = control(200, "disable");
  await judge();
  const appeal = { state: "open", origin: "appeal", note: "It was a joke" };
  const review = { state: "done", decision: "allow", revision: 1, note: "It was" };
  const path = `/v1/verdicts/${verdict.id}/review`;
  assert.equal((await server.send("POST", path, { key, body: appeal })).status, 200);
  assert.equal((await server.send("POST", path, { key, body: review })).status, 200);
  const items = [{ text: "Nice to meet you" }];
  await server.send("POST", "/v1/verdicts/batches", { key, body: { items } });
  await server.send("POST", `/v1/webhooks/${id}/test`, { key });
  const bodies = new Map();
  const wanted = [...events, "webhook.test"];
  await until("an event of each kind", () => {
    for (const { event } of receiver.accepted) bodies.set(event.type, event);
    return wanted.every((type) => bodies.has(type));
  }).catch((error) => {
    throw new Error(`${error.message}: there are ${[...bodies.keys()].join(", ")}`);
  });
  return Object.fromEntries([...bodies].map(([type, body]) => [schemaName(type), body]));
}

const schemaName = (/** @type {string} */ type) =>
  `${type
    .split(/[._]/)
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join("")}Event`;

test("types made of the document hold real bodies", async (t) => {
  const { body: document } = await server.send("GET", "/openapi.json");
  const bodies = await realBodies();
  assert.ok(Object.keys(bodies).length >= 6);
  // Only the events' schemas: a generator takes half a minute for the whole document.
  const schemas = Object.entries(document.components.schemas);
  const events = Object.fromEntries(schemas.filter(([name]) => name.endsWith("Event")));
  const { openapi, info, webhooks } = document;
  const ours = { openapi, info, paths: {}, webhooks, components: { schemas: events } };
  const spec = join(scratch, "openapi.json");
  writeFileSync(spec, JSON.stringify(ours));

  await t.test("in TypeScript", () => {
    const generated = join(scratch, "generated.ts");
    const generator = join(HERE, "node_modules/openapi-typescript/bin/cli.js");
    run(process.execPath, [generator, spec, "-o", generated]);
    const consts = Object.entries(bodies).map(
      ([name, body]) =>
        `export const ${name}: components["schemas"]["${name}"] = ${JSON.stringify(body)};`,
    );
    // The events are distinguished by their type, as in a receiver.
    const told = `export const told = (event: components["schemas"]["WebhookEvent"]): string =>
      event.type === "moderation.verdict" ? event.data.decision : event.id;
    export type Sent = webhooks["moderation.verdict"]["post"]["requestBody"];`;
    const uses = join(scratch, "uses.ts");
    const head = 'import type { components, webhooks } from "./generated.ts";';
    writeFileSync(uses, [head, ...consts, told].join("\n"));
    const options = `--noEmit --strict --skipLibCheck --allowImportingTsExtensions
      --module esnext --moduleResolution bundler --target esnext`.split(/\s+/);
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    run(process.execPath, [compiler, ...options, uses], { cwd: scratch });
    // A wrong body must not fit.
    const wrong = JSON.stringify({ ...bodies.ModerationVerdictEvent, more: true });
    const type = 'components["schemas"]["ModerationVerdictEvent"]';
    writeFileSync(uses, `${head}\nexport const wrong: ${type} = ${wrong};`);
    const refused = spawnSync(process.execPath, [compiler, ...options, uses], { cwd: scratch });
    assert.notEqual(refused.status, 0);
  });

  await t.test("in Python", { skip: WITHOUT.python }, () => {
    const models = join(scratch, "models.py");
    const interpreter = python();
    const settings = `--input-file-type openapi --output-model-type pydantic_v2.BaseModel
      --target-python-version 3.11 --extra-fields forbid --disable-timestamp`.split(/\s+/);
    run(interpreter, [
      "-m",
      "datamodel_code_generator",
      "--input",
      spec,
      "--output",
      models,
      ...settings,
    ]);
    const file = join(scratch, "bodies.json");
    writeFileSync(file, JSON.stringify(bodies));
    const held = run(interpreter, ["python/hold_bodies.py", models, file]);
    assert.equal(held.trim().split("\n").length, Object.keys(bodies).length);
    writeFileSync(file, JSON.stringify({ ModerationVerdictEvent: { id: "evt_1" } }));
    const refused = spawnSync(interpreter, ["python/hold_bodies.py", models, file], { cwd: HERE });
    assert.notEqual(refused.status, 0);
  });
});

/** The text without its layout. */
const spaced = (/** @type {string} */ text) => text.replaceAll(/\s+/g, " ").trim();

test("docs/webhooks.md shows what was run here", () => {
  const docs = readFileSync(join(ROOT, "docs/webhooks.md"), "utf8");
  const files = [
    "express/receiver.mjs",
    "express/svix-receiver.mjs",
    "python/fastapi_receiver.py",
    "python/django_receiver.py",
    "go/main.go",
    "java/Receiver.java",
  ];
  for (const file of files) {
    const source = readFileSync(join(HERE, file), "utf8");
    const shown =
      /(?:\/\/|#) docs:begin\n([\s\S]*?)\n *(?:\/\/|#) docs:end/.exec(source)?.[1] ?? "";
    assert.ok(shown.length > 100, file);
    assert.ok(spaced(docs).includes(spaced(shown)), `docs/webhooks.md differs from ${file}`);
  }
});
