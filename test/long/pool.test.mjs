// The short form of `npm run test:pool` (docs/proof.md): ten tenants that share a small pool.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HARNESS = fileURLToPath(new URL("../../faults/pool.mjs", import.meta.url));

const run = (/** @type {string[]} */ args) =>
  new Promise((resolve) => {
    execFile(process.execPath, [HARNESS, ...args], (error, stdout, stderr) =>
      resolve({ error, output: stdout + stderr }),
    );
  });

test("tenants share neurons and rates, whatever dies", async () => {
  const args = "--tenants 10 --neurons 300 --minutes 2 --speed 8 --busy".split(" ");
  const { error, output } = await run(args);
  assert.equal(error, null, output);
  assert.match(output, /Everything holds\./);
});
