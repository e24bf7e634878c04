// node bench/state-apply.mjs [TENANTS] [VERDICTS A SECOND] [--start | --url=URL]
//
// A document of thousands of tenants, applied by `npm run state`, while verdicts are asked of the same
// server: the built Worker on the workerd binary; with `--start` the server that `npm start` runs, in a
// folder of its own; with `--url` one that runs, whose platform's token is in NEUROGATE_TOKEN.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, say } from "./machine.mjs";
import { Started } from "./started.mjs";
import { quantile, round } from "./stats.mjs";
import { makeTenants, tenantIds, verdictRequests } from "./tenants.mjs";
import { build, Workerd } from "./workerd.mjs";

const [COUNT = 5000, A_SECOND = 10] = process.argv
  .slice(2)
  .filter((text) => !text.startsWith("--"))
  .map(Number);

/** What is aimed at, in milliseconds. */
const AIM = { p99_ms: 1000, patch_account_ms: 100 };

const option = (/** @type {string} */ name) =>
  process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3);

const SETTINGS = { plan: "free", daily_neurons: 1000, reserved_neurons: 1 };

const dir = mkdtempSync(join(tmpdir(), "neurogate-bench-"));
const server = await serverOf(option("url"));

/** One that runs already and is left as it is, but for its new tenants; else one that is begun here. */
async function serverOf(/** @type {string | undefined} */ url) {
  if (url !== undefined) {
    const adminToken = process.env.NEUROGATE_TOKEN;
    assert.ok(adminToken, "NEUROGATE_TOKEN is the platform's token of that server");
    return { url, adminToken, start: async () => {}, stop: async () => {} };
  }
  if (process.argv.includes("--start")) return new Started(dir, { CLOUDFLARE_PLAN: "paid" });
  return new Workerd(dir, await build(join(dir, "bundle")), { INFERENCE: "embedded" });
}

/** @returns {Promise<{ ms: number, status: number, body: any }>} */
async function ask(method, path, { key = server.adminToken, body } = {}) {
  const begunMs = performance.now();
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body,
  });
  const text = await response.text();
  return { ms: performance.now() - begunMs, status: response.status, body: JSON.parse(text) };
}

/** Requests verdicts at a steady pace, whether earlier ones are answered or not. */
function askVerdicts(requests) {
  const latencies = [];
  /** How many, by what they were told. */
  const refused = {};
  const running = new Set();
  let at = 0;
  const timer = setInterval(() => {
    const { path, headers, body } = requests[at % requests.length];
    at += 1;
    const one = ask("POST", path, { key: headers.authorization.slice(7), body })
      .then(({ ms, status, body: { type } }) => {
        if (status === 200) latencies.push(ms);
        else refused[`${status} ${type}`] = (refused[`${status} ${type}`] ?? 0) + 1;
      })
      .finally(() => running.delete(one));
    running.add(one);
  }, 1000 / A_SECOND);
  return async () => {
    clearInterval(timer);
    await Promise.all(running);
    assert.deepEqual(refused, {});
    return latencies;
  };
}

/** The client that operators run, from its first part to the end. */
async function apply(id, settings) {
  const ids = Array.from({ length: COUNT }, (_, at) => `s-${String(at).padStart(6, "0")}`);
  const file = join(dir, `${id}.json`);
  const tenants = Object.fromEntries(ids.map((tenant) => [tenant, settings]));
  writeFileSync(file, JSON.stringify({ tenants }));
  const begunMs = performance.now();
  const name = `${id}-${Date.now()}`;
  const client = spawn(
    process.execPath,
    [join(ROOT, "scripts/state.mjs"), "apply", file, "--yes", "--id", name],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, NEUROGATE_URL: server.url, NEUROGATE_TOKEN: server.adminToken },
    },
  );
  const [code] = await once(client, "exit");
  assert.equal(code, 0, "the client failed");
  const seconds = round((performance.now() - begunMs) / 1000);
  const { body } = await ask("GET", `/admin/state/applies/${name}`);
  assert.deepEqual(body.tenants, { total: COUNT, planned: COUNT, done: COUNT, failed: 0 });
  return { seconds, counts: body.counts };
}

const latenciesOf = (latencies) => ({
  verdicts: latencies.length,
  p50_ms: Math.round(quantile(latencies, 0.5)),
  p99_ms: Math.round(quantile(latencies, 0.99)),
  most_ms: Math.round(Math.max(...latencies)),
});

async function measured(id, settings) {
  const end = askVerdicts(requests);
  const run = await apply(id, settings);
  const patch = await ask("PATCH", "/admin/account", {
    body: JSON.stringify({ thresholds: [0.5] }),
  });
  assert.equal(patch.status, 200);
  const result = { ...run, ...latenciesOf(await end()), patch_account_ms: Math.round(patch.ms) };
  say(`${id}: ${JSON.stringify(result)}`);
  for (const [name, most] of Object.entries(AIM)) {
    say(`  ${result[name] <= most ? "met   " : "MISSED"} ${name} ${result[name]} (aim ${most})`);
  }
}

await server.start();
const keys = await makeTenants(server, tenantIds(5));
const requests = verdictRequests(keys);
try {
  const endIdle = askVerdicts(requests);
  await sleep(10_000);
  say(`idle: ${JSON.stringify(latenciesOf(await endIdle()))}`);
  await measured("create", SETTINGS);
  await measured("unchanged", SETTINGS);
  await measured("update", { ...SETTINGS, daily_neurons: 2000 });
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
