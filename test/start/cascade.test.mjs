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
  const [, plain = 0, ...parts] = (
    /costs ([\d.]+) neurons a verdict: ([\d.]+) for.*, ([\d.]+) for.*, ([\d.]+) for/.exec(stdout) ??
    []
  ).map(Number);
  const whole = parts.reduce((sum, part) => sum + part, 0);
  assert.ok(
    parts.length === 3 && Math.abs(whole - plain) < 0.02,
    `${parts.join(", ")} of ${plain}`,
  );
  const row = (kind) => {
    const line = stdout.split("\n").find((one) => one.startsWith(`| 8.0 % | ${kind} |`));
    const [, , found, decided, missed, , wrong, cost] = line?.slice(2, -2).split(" | ") ?? [];
    const [, passed, blocked] = /\(([\d.]+) % passed, ([\d.]+) % blocked\)/.exec(decided) ?? [];
    const [missedShare, wrongShare] = [missed, wrong].map(Number.parseFloat);
    return { found, passed: +passed, blocked: +blocked, missedShare, wrongShare, cost: +cost };
  };
  const any = row("any");
  assert.equal(any.found, "20 and 20 of 20");
  assert.ok(any.passed + any.blocked > 90, `${any.passed} and ${any.blocked}`);
  assert.equal(any.missedShare, 0);
  assert.ok(any.wrongShare < 8, `${any.wrongShare}`);
  assert.ok(any.cost < plain / 10, `${any.cost} of ${plain}`);
  // The model has no head for some of the required categories, so without `any` nothing passes.
  const each = row("by category");
  assert.deepEqual([each.found, each.passed, each.missedShare], ["20 and 20 of 20", 0, 0]);
  assert.ok(each.blocked > 40 && each.cost > plain / 3, `${each.blocked}, ${each.cost}`);
  const both = row("both");
  assert.equal(both.passed, any.passed);
  assert.ok(both.blocked >= any.blocked && both.cost <= any.cost, `${both.blocked}, ${both.cost}`);
});

test("without a folder it says what it needs", async () => {
  await assert.rejects(run(process.execPath, [SCRIPT]), /Name the folder of data with --data/);
});
