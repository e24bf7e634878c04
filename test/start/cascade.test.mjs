// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

// `npm run tier0:cascade`, over texts of which the model is sure: what it costs to ask a judge of them is
// saved nearly whole, and nothing harmful passes.

const SCRIPT = fileURLToPath(new URL("../../tier0/evaluate/cascade.mjs", import.meta.url));
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "neurogate-cascade-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const rows = Array.from({ length: 600 }, (_, at) =>
  at % 2 === 0
    ? { prompt: `You are a stupid idiot and a filthy loser, and ${at} people know it.`, HR: 1 }
    : { prompt: `We had ${at} guests at the lovely party in our garden on Sunday.`, HR: 0 },
);

test("the cascade's table", { timeout: 60_000 }, async () => {
  const set = join(folder, "evaluation/openai-moderation-1680");
  mkdirSync(set, { recursive: true });
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(join(set, "samples-1680.jsonl.gz"), gzipSync(lines));
  const { stdout } = await run(process.execPath, [SCRIPT, "--data", folder]);
  assert.match(stdout, /^600 of 600 texts are read by the model; 300 are harmful\.$/m);
  const plain = Number(/costs ([\d.]+) neurons a verdict/.exec(stdout)?.[1]);
  const [, found, decided, passed, , blocked, cost] =
    stdout
      .split("\n")
      .find((line) => line.startsWith("| 8.0 %"))
      ?.slice(2, -2)
      .split(" | ") ?? [];
  assert.equal(found, "20 and 20 of 20");
  assert.ok(Number.parseFloat(decided) > 90, decided);
  assert.equal(passed, "0.0 %");
  assert.ok(Number.parseFloat(blocked) < 8, blocked);
  assert.ok(Number(cost) < plain / 10, `${cost} of ${plain}`);
});

test("without a folder it says what it needs", async () => {
  await assert.rejects(run(process.execPath, [SCRIPT]), /Name the folder of data with --data/);
});
