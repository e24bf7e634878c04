// The examples of docs/pipelines.md, run as they stand there, against a server.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sharedServer } from "./server.mjs";

const PAGE = readFileSync(
  fileURLToPath(new URL("../../docs/pipelines.md", import.meta.url)),
  "utf8",
);

const server = sharedServer();
let key = "";
before(async () => {
  key = await server.makeTenant("pipeline-examples");
});

/** In the order of the page. The first one tells where the server is. */
const [setting, ...examples] = [...PAGE.matchAll(/```sh\n([^]*?)```/g)].map(
  ([, code = ""]) => code,
);

/** @returns {Promise<string>} what it printed */
const run = (code, more = {}) =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, NEUROGATE_URL: server.url, NEUROGATE_KEY: key, ...more };
    execFile("bash", ["-euo", "pipefail", "-c", code], { env }, (failed, out, error) => {
      if (failed !== null) return reject(new Error(`${code}\n${error}`));
      return resolve(out);
    });
  });

const PATIENCE_MS = 60_000;

test("the page tells first which settings its examples use", () => {
  const named = [...(setting ?? "").matchAll(/export (\w+)=/g)].map(([, name]) => name);
  assert.deepEqual(named, ["NEUROGATE_URL", "NEUROGATE_KEY"]);
  assert.equal(examples.length, 5);
});

test("the examples of docs/pipelines.md do what the page says", async () => {
  const [start, read, steps, events, cancel] = examples;
  const made = JSON.parse(await run(start));
  assert.deepEqual(made.steps, ["fetch", "moderate", "summarize", "store", "embed"]);
  const RUN = made.id;
  const deadlineMs = Date.now() + PATIENCE_MS;
  let now = made;
  while (now.state === "running") {
    assert.ok(Date.now() < deadlineMs, JSON.stringify(now));
    // oxlint-disable no-await-in-loop -- until it has ended
    await sleep(100);
    now = JSON.parse(await run(read, { RUN }));
    // oxlint-enable no-await-in-loop
  }
  assert.equal(now.state, "completed", JSON.stringify(now));
  assert.deepEqual(now.counts.failed_as, { blocked: 1 });
  assert.equal(now.counts.succeeded, 1);
  const lines = (await run(steps, { RUN })).trim().split("\n").map(JSON.parse);
  assert.deepEqual(
    lines.map(({ document, name, status }) => [document, name, status]),
    [
      [0, "fetch", "succeeded"],
      [0, "moderate", "succeeded"],
      [0, "summarize", "succeeded"],
      [0, "store", "succeeded"],
      [0, "embed", "succeeded"],
      [1, "fetch", "succeeded"],
      [1, "moderate", "failed"],
    ],
  );
  const cost = lines.reduce((sum, step) => sum + step.micro_neurons, 0);
  assert.equal(now.micro_neurons, cost);
  assert.match(await run(events, { RUN }), /^event: run\ndata: \{.*"state":"completed"/);
  // It is over: nothing changes any more.
  assert.equal(JSON.parse(await run(cancel, { RUN })).state, "completed");
});
