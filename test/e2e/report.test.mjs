// The report of a period against a real server, with the price book of docs/costs.md.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { sharedServer } from "./server.mjs";

const SCRIPT = fileURLToPath(new URL("../../scripts/report.mjs", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/costs.md", import.meta.url));

const server = sharedServer();
const folder = mkdtempSync(join(tmpdir(), "neurogate-report-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** @returns {Promise<{ code: number, out: string, error: string }>} */
const report = (args, env = {}) =>
  new Promise((resolve) => {
    const settings = { NEUROGATE_URL: server.url, NEUROGATE_TOKEN: server.adminToken, ...env };
    const options = { cwd: folder, env: { ...process.env, ...settings } };
    execFile(process.execPath, [SCRIPT, ...args], options, (failed, out, error) =>
      resolve({ code: failed === null ? 0 : Number(failed.code), out, error }),
    );
  });

const today = () => new Date().toISOString().slice(0, 10);

test("a tenant's report equals its usage, and has the prices of another provider", async () => {
  const id = "reported";
  const key = await server.makeTenant(id);
  const body = { text: "good morning to you" };
  const verdict = await server.send("POST", "/v1/verdicts", { key, body });
  assert.equal(verdict.status, 200);
  const [book] = /\{\n {2}"name": "Another[\s\S]*?\n\}\n/.exec(readFileSync(PAGE, "utf8")) ?? [];
  writeFileSync(join(folder, "book.json"), book);
  const day = today();
  const model = "@cf/meta/llama-3.1-8b-instruct-fp8";
  const range = ["--from", day, "--to", day, "--tenant", id];
  const more = [
    "--compare",
    `${day}..${day}`,
    "--models",
    `${model},@cf/none`,
    "--prices",
    "book.json",
  ];
  const { code, out, error } = await report([...range, ...more]);
  assert.equal(error, "");
  assert.equal(code, 0);
  const { body: usage } = await server.send("GET", "/v1/usage", { key });
  assert.ok(usage.totals.micro_neurons > 0);
  assert.ok(out.startsWith(`# Report of ${id}, ${day} to ${day}\n`), out);
  assert.ok(out.includes(`| Micro-neurons | ${usage.totals.micro_neurons} |`), out);
  for (const title of ["Models", "Costs by service", "Workflow executions", "Two periods"]) {
    assert.ok(out.includes(`## ${title}\n`), title);
  }
  assert.ok(out.includes("## The same use at Another provider\n"), out);
  assert.ok(out.includes("| Calls | 1 | 1 | 0 % |"), out);
  assert.ok(out.includes("vectorize\\_queried"), out);
});

test("all tenants come from the reports", async () => {
  const { code, out, error } = await report(["--from", "2026-01-01", "--to", "2026-01-02"]);
  assert.equal(error, "");
  assert.equal(code, 0);
  assert.ok(out.includes("# Report of all tenants"), out);
  assert.ok(out.includes("No documents in this period."), out);
});

test("what is wrong is said in a sentence, without the token", async () => {
  for (const [args, env, message] of [
    [[], {}, "--from and --to"],
    [["--from", "2026-01-01", "--to", "2026-09-01"], {}, "at most 91 days"],
    [["--from", "2026-01-01", "--to", "2026-01-02", "--compare", "x"], {}, "--compare"],
    [["--from", "2026-01-01", "--to", "2026-01-02", "--prices", "no.json"], {}, "no.json"],
    [["--from", "2026-01-01", "--to", "2026-01-02"], { NEUROGATE_TOKEN: "wrong" }, "this token"],
    [["--nothing"], {}, "npm run report"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one run after the other
    const { code, out, error } = await report(args, env);
    assert.equal(code, 1, message);
    assert.equal(out, "");
    assert.ok(error.includes(message), error);
    assert.ok(!error.includes(server.adminToken));
  }
});
